/* Views are fragments of HTML from the app; the address behind # says which one is shown. */
(function () {
  "use strict";
  const { saleor, words } = window;
  const content = document.getElementById("content");
  const page = document.documentElement.dataset.page;
  // Above this nothing more is to be expected soon.
  const AGAIN_MS = [700, 1000, 1500, 2500, 4000, 8000, 15000];
  const TYPING_MS = 3000; // not counted: nobody types for ever
  let shown = "";
  let count = 0;
  let again = 0;
  let timer = 0;

  function home() {
    return page === "order" ? `order?orderId=${encodeURIComponent(saleor.state.orderId)}` : "captures";
  }
  const wanted = () => location.hash.slice(1) || home();

  function fail(text, isPermission) {
    const box = document.createElement("p");
    box.className = isPermission ? "notice warning" : "notice error";
    box.textContent = text;
    content.replaceChildren(box);
    content.removeAttribute("aria-busy");
    shown = "";
  }
  /* Put a fragment in place; what had the focus or was open stays so, wherever it stands now. */
  function swap(target, html) {
    const open = [...target.querySelectorAll("details[open] > summary")].map(nameOf);
    const focus = target.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const made = document.createElement("template");
    made.innerHTML = html;
    words.times(made.content);
    target.replaceChildren(made.content);
    target.querySelectorAll("[data-dashboard-version]").forEach((place) => {
      place.textContent = saleor.state.dashboardVersion || "–";
    });
    target.querySelectorAll("[data-home]").forEach((link) => { link.href = "#" + home(); });
    return { open, focus };
  }
  /* What an element is, to find its like in the new view. */
  function nameOf(element) {
    const told = element.matches("summary, a, button") ? element.textContent : "";
    const label = element.getAttribute("aria-label") || element.name || "";
    const form = element.closest("form")?.dataset.act || "";
    const place = element.closest("article, li, [id]");
    return [place?.id || place?.firstElementChild?.textContent, element.tagName, form, label, told.trim()].join(" ");
  }
  function restore(target, { open, focus }) {
    target.querySelectorAll("details > summary").forEach((one) => {
      if (open.includes(nameOf(one))) one.parentNode.open = true;
    });
    if (!focus) return;
    const like = [...target.querySelectorAll("a, button, summary, input, select, textarea")];
    (like.find((one) => nameOf(one) === focus) || target).focus({ preventScroll: true });
  }
  async function fragment(view) {
    const answer = await saleor.call(`/app/pages/${view}`);
    if (answer.ok) return answer.text();
    const told = await answer.json().catch(() => ({}));
    const error = new Error(told.error?.message || words.say("away"));
    error.permission = answer.status === 403;
    throw error;
  }
  /* Parts that take longer (Kustom is asked for them) come after the rest. */
  async function loadParts(own) {
    for (const part of content.querySelectorAll("[data-load]")) {
      try {
        const html = await fragment(part.dataset.load);
        if (own === count && html !== part.dataset.html) { swap(part, html); part.dataset.html = html; }
      } catch { part.replaceChildren(); }
    }
  }
  /* Half typed is what would be lost. A button that has the focus, as after its own act, is no reason
     to leave old numbers standing. */
  function isTyping() {
    const fields = [...content.querySelectorAll("form :is(input, textarea)")];
    return fields.some((field) => field === document.activeElement || field.value !== field.defaultValue);
  }
  /* Look again soon, while something is under way; less and less often. */
  function later(own) {
    const more = content.querySelector("[data-again]") && (isTyping() ? TYPING_MS : AGAIN_MS[again]);
    if (!more || own !== count) return;
    if (more !== TYPING_MS) again += 1;
    timer = setTimeout(() => load({ keep: true }), more);
  }
  async function load({ keep = false } = {}) {
    const own = (count += 1);
    clearTimeout(timer);
    if (!saleor.state.shaken) return;
    await words.load();
    if (!saleor.state.token) return fail(words.say("permission"), true);
    if (!keep) again = 0;
    const view = wanted();
    try {
      const html = await fragment(view);
      if (own !== count) return; // another view was asked for meanwhile
      const same = view === shown;
      const parts = same ? content.querySelector("[data-load]")?.innerHTML : "";
      if (same && keep && isTyping()) { later(own); return; } // what is typed would be lost
      const before = swap(content, html);
      const part = content.querySelector("[data-load]");
      if (part && parts) part.innerHTML = parts; // shown until the new one is there
      if (same) restore(content, before);
      else if (shown) { scrollTo(0, 0); content.focus({ preventScroll: true }); }
      shown = view;
      content.removeAttribute("aria-busy");
      await loadParts(own);
      if (own === count) content.dataset.view = view; // for tests: all of it is there
      later(own);
    } catch (error) {
      if (own === count) fail(error.message, error.permission);
    }
  }
  /* A form's fields become a view's filters. */
  function go(view, form) {
    const query = new URLSearchParams();
    for (const input of form.elements) {
      const value = input.type === "date" ? words.secondsOf(input) : input.value;
      if (input.name && value) query.set(input.name, value);
    }
    const hash = `#${view}${query.size ? "?" + query : ""}`;
    if (location.hash === hash) load(); else location.hash = hash;
  }
  window.views = { reload: () => load({ keep: false }), go };
  saleor.on("handshake", () => { if (!shown) load(); });
  saleor.on("localeChanged", () => { if (shown) load(); });
  addEventListener("hashchange", () => load());
  if (saleor.framed) { saleor.autoResize(content); saleor.ready(); }
  else {
    content.remove();
    document.getElementById("alone").hidden = false;
  }
})();

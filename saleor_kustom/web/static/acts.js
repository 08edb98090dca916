/* What buttons and forms do. Each act says what it did: to the Dashboard, and to screen readers. */
(function () {
  "use strict";
  const { saleor, words } = window;
  const said = document.getElementById("said");

  function tell({ status, title, text }) {
    said.textContent = "";
    requestAnimationFrame(() => { said.textContent = `${title}. ${text}`; });
    saleor.notify(status, title, text);
  }
  async function post(name, body) {
    const answer = await saleor.call(`/app/acts/${name}`, {
      method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" },
    });
    const told = await answer.json();
    if (told.error) throw new Error(told.error.message);
    return told;
  }
  /* One act. The button is busy meanwhile, so that it is not pressed twice, and a form's fields are
     shut until the view is drawn anew, which would lose what is typed into the old ones. */
  async function act(element, name, body) {
    const button = element.matches("button") ? element : element.querySelector("button");
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const open = [...element.elements || []].filter((field) => field !== button && !field.disabled);
    for (const field of open) field.disabled = true;
    try {
      const told = await post(name, body);
      tell(told.said);
      if (told.go) location.hash = told.go;
      await window.views.reload();
      saleor.refreshEntity();
    } catch (error) {
      tell({ status: "error", title: words.say("failed"), text: error.message || words.say("away") });
    } finally {
      for (const field of open) field.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }
  /* Many at once, portion by portion, with a bar that shows how far it is. */
  async function bulk(button) {
    const body = JSON.parse(button.dataset.bulk);
    const total = Number(button.dataset.total);
    const bar = document.createElement("progress");
    bar.max = total;
    bar.value = 0;
    bar.setAttribute("aria-label", words.say("progress"));
    button.replaceWith(bar);
    let done = 0;
    let after = 0;
    try {
      for (;;) {
        const told = await post("retry-all", { ...body, after });
        if (told.said) { tell(told.said); break; }
        done += told.done;
        after = told.after;
        bar.value = done;
        if (!told.more) { tell({ status: "success", title: words.say("retried"), text: words.say("retried_text", { done }) }); break; }
      }
    } catch (error) {
      tell({ status: "error", title: words.say("failed"), text: error.message });
    }
    await window.views.reload();
  }
  async function copy(button) {
    const text = button.dataset.copy;
    // The Dashboard's frame may not allow the new way; asking anyway would be an error there.
    const allowed = document.featurePolicy?.allowsFeature("clipboard-write") ?? true;
    try {
      if (!allowed) throw new Error("not allowed");
      await navigator.clipboard.writeText(text);
    } catch {
      copyOld(text);
    }
    tell({ status: "success", title: words.say("copied"), text: text.split("\n")[0] });
    button.focus();
  }
  function copyOld(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  /* The file comes with the bearer header, so it is fetched and handed over as a blob. */
  async function save(button) {
    const query = new URLSearchParams(JSON.parse(button.dataset.export));
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await saleor.call(`/app/export.csv?${query}`);
      if (!answer.ok) throw new Error((await answer.json()).error.message);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))?.[1] || "captures.csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      tell({ status: "success", title: words.say("exported"), text: link.download });
    } catch (error) {
      tell({ status: "error", title: words.say("failed"), text: error.message });
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
  /* What a form's fields say: checkboxes as booleans, the rest as text. */
  function fieldsOf(form) {
    const fields = {};
    for (const input of form.elements) {
      if (!input.name || (input.type === "radio" && !input.checked)) continue;
      fields[input.name] = input.type === "checkbox" ? input.checked : input.value;
    }
    return fields;
  }
  /* Show what choices would do, below their form; nothing is kept. */
  async function attempt(button) {
    const form = button.form;
    const place = form.querySelector(".tried");
    button.setAttribute("aria-busy", "true");
    try {
      const body = { ...JSON.parse(form.dataset.body || "{}"), ...fieldsOf(form) };
      const answer = await saleor.call(`/app/acts/${button.dataset.try}`, { method: "POST", body: JSON.stringify(body) });
      const isHtml = answer.headers.get("content-type").startsWith("text/html");
      if (isHtml) { place.innerHTML = await answer.text(); words.times(place); }
      else tell((await answer.json()).said);
    } catch {
      tell({ status: "error", title: words.say("failed"), text: words.say("away") });
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.act) act(button, button.dataset.act, JSON.parse(button.dataset.body));
    else if (button.dataset.bulk) bulk(button);
    else if (button.dataset.open) saleor.redirect(button.dataset.open);
    else if (button.dataset.try) attempt(button);
    else if (button.dataset.copy) copy(button);
    else if (button.dataset.export) save(button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    event.preventDefault();
    if (form.dataset.act) act(form, form.dataset.act, { ...JSON.parse(form.dataset.body || "{}"), ...fieldsOf(form) });
    else if (form.dataset.view) window.views.go(form.dataset.view, form);
  });
  window.acts = { tell };
})();

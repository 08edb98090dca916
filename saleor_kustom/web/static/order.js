/* Shows captures: those of one order (widget, popup), or all of the shop (app page). */
(function () {
  "use strict";
  const content = document.getElementById("content");
  const page = document.documentElement.dataset.page;
  const saleor = window.saleor;
  const STATES = {
    received: ["Waiting", "info"], planned: ["Planned", "info"], sending: ["Sending", "info"],
    captured: ["Captured", "success"], reported: ["Captured", "success"],
    nothing: ["Nothing to capture", "neutral"], withdrawn: ["Withdrawn", "neutral"],
  };
  const WHY = {
    worth_zero: "Worth nothing: no capture is needed.",
    paid_by_others: "Other payments cover it.",
    not_kustom: "The order was not paid with Kustom.",
    replacement: "A replacement order: nothing was authorized for it.",
    taken_over: "Paid by the capture of a cancelled parcel.",
    kustom_order_unknown: "The order has no Kustom order id yet.",
    waiting_for_approval: "The fulfillment waits for approval in Saleor.",
    fraud_pending: "Kustom's fraud review is not finished.",
    outcome_unknown: "The answer was lost; we look before anything is sent again.",
    foreign_transaction: "Another app owns the transaction; metadata was written.",
    no_transaction: "Saleor has no transaction for it; metadata was written.",
  };

  function element(tag, options = {}, ...children) {
    const made = document.createElement(tag);
    if (options.class) made.className = options.class;
    if (options.href) { made.href = options.href; made.target = "_blank"; made.rel = "noopener noreferrer"; }
    if (options.click) { made.type = "button"; made.addEventListener("click", options.click); }
    if (options.label) made.setAttribute("aria-label", options.label);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const time = (seconds) => new Date(seconds * 1000).toLocaleString(saleor.state.locale);
  const isLink = (text) => /^https?:\/\//.test(text || "");

  function pill(capture) {
    const [text, kind] = capture.held ? ["Needs you", "error"] : STATES[capture.state] || [capture.state, "neutral"];
    return element("span", { class: "pill " + kind }, text);
  }
  function tracking(entry) {
    const text = entry.tracking_number || entry.tracking_uri || entry.shipping_method || "";
    return isLink(entry.tracking_uri)
      ? element("a", { href: entry.tracking_uri }, text)
      : element("span", {}, text);
  }
  function copy(text) {
    const done = () => saleor.notify("success", "Copied", text);
    return element("button", { class: "small", label: "Copy capture id", click: () =>
      navigator.clipboard.writeText(text).then(done, () => window.prompt && null) }, "Copy");
  }
  function facts(capture) {
    const rows = [];
    if (capture.captureId) rows.push(element("p", {}, element("code", {}, capture.captureId), " ", copy(capture.captureId)));
    if (capture.capturedAt) rows.push(element("p", { class: "quiet" }, "Captured " + time(capture.capturedAt)));
    if (capture.tracking.length) {
      const line = element("p", {}, "Tracking: ");
      capture.tracking.forEach((entry, i) => line.append(i ? ", " : "", tracking(entry)));
      rows.push(line);
    }
    if (capture.problem) rows.push(element("p", { class: "problem" }, capture.problem), element("p", {}, capture.cure));
    else if (capture.waiting) rows.push(element("p", { class: "quiet" }, WHY[capture.waiting] || capture.waiting));
    if (capture.reportProblem) rows.push(element("p", { class: "quiet" }, WHY[capture.reportProblem] || capture.reportProblem));
    if (capture.trackingProblem) rows.push(element("p", { class: "problem" }, "Tracking was refused: " + capture.trackingProblem));
    if (!capture.running && capture.nextTry) rows.push(element("p", { class: "quiet" }, "Next try " + time(capture.nextTry)));
    return rows;
  }
  function resume(capture) {
    return element("button", { click: async () => {
      const answer = await saleor.call(`/app/api/captures/${capture.id}/resume`, { method: "POST" });
      const body = await answer.json();
      if (!answer.ok) saleor.notify("error", "Not retried", body.error.message);
      else saleor.notify("success", "Retrying", "The capture goes on from where it stood.");
      setTimeout(load, 800);
    } }, "Retry");
  }
  function card(capture) {
    const name = page === "order"
      ? `Parcel ${capture.parcel ?? "?"}`
      : `Order ${capture.order ?? "?"}, parcel ${capture.parcel ?? "?"}`;
    return element("article", {},
      element("header", {}, element("h2", {}, name), pill(capture),
        element("span", { class: "amount" }, capture.amount || "")),
      ...facts(capture), capture.held ? resume(capture) : null);
  }
  function show(answer) {
    const heading = page === "order" ? null : element("h1", {}, "Kustom captures");
    const held = answer.counts && answer.counts.held
      ? element("p", { class: "problem" }, `${answer.counts.held} need you.`) : null;
    const cards = answer.captures.map(card);
    if (!cards.length) cards.push(element("p", { class: "quiet" },
      page === "order" ? "Nothing was fulfilled yet; it is captured when it ships." : "No captures yet."));
    const link = answer.portal
      ? element("p", {}, element("a", { href: answer.portal }, "Open in Kustom's portal")) : null;
    content.replaceChildren(...[heading, held, ...cards, link].filter(Boolean));
  }
  function fail(text) { content.replaceChildren(element("p", { class: "problem" }, text)); }

  async function load() {
    if (!saleor.state.token) return fail("You need the permission “Manage orders” to see captures.");
    const path = page === "order"
      ? "/app/api/order?orderId=" + encodeURIComponent(saleor.state.orderId)
      : "/app/api/captures";
    try {
      const answer = await saleor.call(path);
      const body = await answer.json();
      if (answer.ok) show(body); else fail(body.error.message);
    } catch { fail("The app can't be reached; try again."); }
  }
  saleor.on("handshake", load);
  saleor.autoResize(content);
  if (saleor.framed) saleor.ready();
  else fail("Open this page from the Saleor Dashboard. If a frame there stays blank, add the Dashboard's address to SALEOR_KUSTOM_DASHBOARD_ORIGINS.");
})();

/* Orders as a merchant has them: a list, and an order that is shipped, approved, cancelled, tracked. */
(function () {
  "use strict";
  const { host, frame, atLeast, theme, locale } = window.frames_;
  const main = document.getElementById("main");
  const popup = document.getElementById("popup");

  function make(tag, options = {}, ...children) {
    const { on, ...plain } = options;
    const made = Object.assign(document.createElement(tag), plain);
    if (on) made.addEventListener(tag === "form" ? "submit" : "click", on);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const ask = async () => (await fetch("/dashboard/api/state")).json();
  async function act(name, body = {}) {
    const answer = await fetch(`/dashboard/api/${name}`, { method: "POST", body: JSON.stringify(body) });
    const told = await answer.json();
    if (told.error) alert(told.error); // as Saleor would refuse it
    await render();
    setTimeout(reloadWidget, 600);
  }
  const pretty = (status) => status.toLowerCase().replace(/_/g, " ");
  const money = (order) => `${order.total} ${order.currency}`;

  function list(state) {
    const rows = state.orders.map((order) => make("tr", {},
      make("td", {}, make("a", { href: `#/orders/${order.id}` }, `#${order.number}`)),
      make("td", {}, pretty(order.status)), make("td", {}, pretty(order.chargeStatus)),
      make("td", { className: "n" }, money(order))));
    return make("section", {},
      make("h1", {}, "Orders ", make("button", { on: () => act("order") }, "Place an order")),
      make("table", {}, make("thead", {}, make("tr", {}, ...["Order", "Status", "Charged", "Total"].map((t) => make("th", {}, t)))),
        make("tbody", {}, ...rows)),
      settings(state));
  }
  function settings(state) {
    const box = (name, text) => {
      const input = make("input", { type: "checkbox", checked: state[name] });
      input.addEventListener("change", () => act("settings", { ...state, [name]: input.checked }));
      return make("label", {}, input, ` ${text}`);
    };
    return make("fieldset", {}, make("legend", {}, "Site settings"),
      box("allowUnpaid", "Allow fulfillment without payment"), box("autoApprove", "Approve fulfillments automatically"));
  }
  function fulfill(order) {
    const open = order.lines.filter((line) => line.open);
    if (!open.length || order.status === "CANCELED") return null;
    const form = make("form", { className: "card", on: (event) => {
      event.preventDefault();
      const units = Object.fromEntries(open.map((line) => [line.id, form.elements[line.id].value]));
      act("fulfill", { order: order.id, units, tracking: form.elements.tracking.value });
    } }, make("h2", {}, "Fulfil"),
      ...open.map((line) => make("label", {}, make("input", { type: "number", name: line.id, min: 0, max: line.open, value: line.open }), ` ${line.name}`)),
      make("label", {}, "Tracking number ", make("input", { name: "tracking" })), make("button", {}, "Fulfil"));
    return form;
  }
  function parcel(one) {
    const over = one.status === "CANCELED";
    return make("div", { className: "card" }, make("h2", {}, `Fulfillment ${one.number} `, make("small", {}, pretty(one.status))),
      make("p", {}, one.lines.join(", ")), one.tracking ? make("p", {}, `Tracking ${one.tracking}`) : null,
      over ? null : make("form", { on: (event) => { event.preventDefault(); act("track", { fulfillment: one.id, tracking: event.target.elements.tracking.value }); } },
        make("input", { name: "tracking", ariaLabel: `Tracking number of fulfillment ${one.number}`, value: one.tracking }), make("button", {}, "Save tracking")),
      one.status === "WAITING_FOR_APPROVAL" ? make("button", { on: () => act("approve", { fulfillment: one.id }) }, "Approve") : null,
      over ? null : make("button", { on: () => act("cancel", { fulfillment: one.id }) }, "Cancel fulfillment"));
  }
  function order(state, id) {
    const one = state.orders.find((each) => each.id === id);
    if (!one) return make("p", {}, "There is no such order.");
    const left = make("div", { id: "order" });
    fill(left, state, one);
    return make("section", { className: "two" }, left, make("aside", { className: "card", id: "widget" },
      ...(atLeast(22) ? [make("h2", {}, "Kustom"), widget(state, id)]
        : [make("button", { on: () => openPopup(state, id) }, "Kustom captures")])));
  }
  function fill(left, state, one) {
    left.replaceChildren(make("h1", {}, `Order #${one.number} `, make("small", {}, `${pretty(one.status)}, ${money(one)}`)),
      ...one.fulfillments.map(parcel), fulfill(one) || "",
      one.fulfillments.every((f) => f.status === "CANCELED") ? make("button", { on: () => act("cancel-order", { order: one.id }) }, "Cancel order") : "");
  }
  const context = (id) => ({ orderId: id });
  const widget = (state, id) => frame(`${state.appUrl}/order`, { context: context(id), widget: true, app: state });
  function openPopup(state, id) {
    popup.querySelector("div").replaceChildren(frame(`${state.appUrl}/order`, { context: context(id), app: state }));
    popup.showModal();
  }
  /* Saleor's page refetches the order and leaves the frame alone. */
  async function render() {
    const state = await ask();
    const [, where, id] = location.hash.split("/");
    const left = document.getElementById("order");
    const shownOrder = main.dataset.shown === location.hash && left && state.orders.find((each) => each.id === decodeURIComponent(id || ""));
    if (shownOrder) return fill(left, state, shownOrder);
    if (where === "app" && main.dataset.shown === location.hash) return undefined;
    main.dataset.shown = location.hash;
    if (where === "app") main.replaceChildren(frame(state.appUrl, { app: state }));
    else if (id) main.replaceChildren(order(state, decodeURIComponent(id)));
    else main.replaceChildren(list(state));
    main.className = where === "app" ? "full" : "";
    return undefined;
  }
  function reloadWidget() {
    const inner = document.querySelector("#widget iframe");
    if (inner) inner.src = String(inner.src);
  }
  const pick = (name, then) => {
    const select = document.getElementById(name);
    select.value = host[name];
    select.addEventListener("change", () => then(select.value));
  };
  pick("version", (value) => { const q = new URLSearchParams(location.search); q.set("v", value); location.search = q; });
  pick("theme", theme);
  pick("locale", locale);
  theme(host.theme);
  document.getElementById("close").addEventListener("click", () => popup.close());
  addEventListener("hashchange", render);
  window.standIn = { render };
  render();
})();

/* The Saleor Dashboard's frame protocol in plain JavaScript: token, theme, locale, size. */
(function () {
  "use strict";
  const query = new URLSearchParams(location.search);
  // The Dashboard appends to its own query: of a key that comes twice the last one counts.
  const last = (key) => query.getAll(key).at(-1) || "";
  const framed = window.parent !== window;
  const state = {
    token: "", saleorApiUrl: last("saleorApiUrl"), orderId: last("orderId"),
    theme: last("theme") || "light", locale: last("locale") || "en", dashboardVersion: "",
  };
  let host = referrerOrigin();
  const listeners = {};
  const pending = {};

  /* The parent's origin: what the frame was loaded from, then whoever shook hands first. */
  function referrerOrigin() {
    try {
      const origin = new URL(document.referrer).origin;
      return origin === location.origin ? "" : origin;
    } catch { return ""; }
  }
  function on(type, then) { (listeners[type] = listeners[type] || []).push(then); }
  function emit(type, payload) { (listeners[type] || []).forEach((then) => then(payload)); }
  function setTheme(theme) {
    state.theme = theme;
    document.documentElement.dataset.theme = theme === "dark" ? "dark" : "light";
  }
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !event.data) return;
    if (host && event.origin !== host) return;
    const { type, payload = {} } = event.data;
    if (type === "handshake" && payload.version === 1 && typeof payload.token === "string") {
      host = host || event.origin;
      state.token = payload.token;
      state.dashboardVersion = payload.dashboardVersion || "";
    } else if (type === "tokenRefresh") state.token = payload.token;
    else if (type === "theme") setTheme(payload.theme);
    else if (type === "localeChanged") state.locale = payload.locale;
    else if (type === "response") return settle(payload);
    emit(type, payload);
  });
  function settle(payload) {
    const waiting = pending[payload.actionId];
    if (!waiting) return;
    delete pending[payload.actionId];
    clearTimeout(waiting.timer);
    if (payload.ok) waiting.resolve(); else waiting.reject(new Error("refused"));
  }
  function dispatch(type, payload) {
    if (!framed) return Promise.reject(new Error("not in the Dashboard"));
    const actionId = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { delete pending[actionId]; reject(new Error("timeout")); }, 10000);
      pending[actionId] = { resolve, reject, timer };
      window.parent.postMessage({ type, payload: { ...payload, actionId } }, host || "*");
    });
  }
  function call(path, options = {}) {
    const headers = { "authorization-bearer": state.token, "saleor-api-url": state.saleorApiUrl };
    return fetch(path, { ...options, headers });
  }
  function autoResize(element) {
    let height = 0;
    new ResizeObserver(() => {
      const now = Math.ceil(element.scrollHeight);
      if (now && now !== height) {
        height = now;
        dispatch("widgetResize", { height }).catch(() => {}); // unknown below 3.23.8
      }
    }).observe(element);
  }
  setTheme(state.theme);
  window.saleor = {
    state, on, call, autoResize, framed,
    notify: (status, title, text) =>
      dispatch("notification", { status, title, text }).catch(() => {}),
    ready: () => dispatch("notifyReady", {}).catch(() => {}),
  };
})();

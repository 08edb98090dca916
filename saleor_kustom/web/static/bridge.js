/* The Saleor Dashboard's frame protocol in plain JavaScript: token, theme, locale, size.
   Loaded before the page is drawn, so that the theme is right from the first moment. */
(function () {
  "use strict";
  const query = new URLSearchParams(location.search);
  // The Dashboard appends to its own query: of a key that comes twice the last one counts.
  const last = (key) => query.getAll(key).at(-1) || "";
  const framed = window.parent !== window;
  const state = {
    token: "", shaken: false, saleorApiUrl: last("saleorApiUrl"), orderId: last("orderId"),
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
    if (type === "handshake") {
      if (payload.version !== 1 || typeof payload.token !== "string") return;
      host = host || event.origin;
      state.shaken = true;
      state.token = payload.token;
      state.dashboardVersion = payload.dashboardVersion || "";
    } else if (type === "tokenRefresh") state.token = payload.token;
    else if (type === "theme") setTheme(payload.theme);
    else if (type === "localeChanged") state.locale = payload.locale || state.locale;
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
  /* Ask the Dashboard for something. Actions that a version does not know are never answered. */
  function dispatch(type, payload) {
    if (!framed) return Promise.reject(new Error("not in the Dashboard"));
    const actionId = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { delete pending[actionId]; reject(new Error("timeout")); }, 10000);
      pending[actionId] = { resolve, reject, timer };
      window.parent.postMessage({ type, payload: { ...payload, actionId } }, host || "*");
    });
  }
  /* 3.21 throws on actions that it does not know. */
  function atLeast(version) {
    const have = (state.dashboardVersion || "0").split(".").map(Number);
    const want = version.split(".").map(Number);
    for (let i = 0; i < want.length; i += 1) {
      if ((have[i] || 0) !== want[i]) return (have[i] || 0) > want[i];
    }
    return true;
  }
  /* A token that is newer than `old`; the Dashboard sends one about 30 seconds before the end. */
  function freshToken(old) {
    if (state.token !== old) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 5000);
      on("tokenRefresh", () => { clearTimeout(timer); resolve(true); });
      dispatch("notifyReady", {}).catch(() => {}); // it shakes hands again, with its newest token
      on("handshake", () => { if (state.token !== old) { clearTimeout(timer); resolve(true); } });
    });
  }
  /* The browser knows where the merchant's midnights are; see web/dashboard/days.py. */
  function midnights() {
    const now = new Date();
    const hour = (day) => Math.floor(day.getTime() / 3600000);
    const month = hour(new Date(now.getFullYear(), now.getMonth(), 1));
    const days = Array.from({ length: 30 }, (_, i) =>
      hour(new Date(now.getFullYear(), now.getMonth(), now.getDate() - 29 + i)));
    return month + ";" + days.join(",");
  }
  /* Call the app. A token that expired meanwhile is replaced once. */
  async function call(path, options = {}) {
    const token = state.token;
    const headers = {
      "authorization-bearer": token, "saleor-api-url": state.saleorApiUrl,
      "accept-language": state.locale, "x-midnights": midnights(), ...options.headers,
    };
    const answer = await fetch(path, { ...options, headers, credentials: "omit" });
    if (answer.status !== 401 || options.again === false) return answer;
    const body = await answer.clone().json().catch(() => ({}));
    if (body.error?.code !== "TOKEN_EXPIRED" || !(await freshToken(token))) return answer;
    return call(path, { ...options, again: false });
  }
  function autoResize(element) {
    let height = 0;
    new ResizeObserver(() => {
      const now = Math.ceil(element.scrollHeight);
      if (!now || now === height || !state.shaken || !atLeast("3.23.8")) return;
      height = now;
      dispatch("widgetResize", { height }).catch(() => {});
    }).observe(element);
  }
  setTheme(state.theme);
  window.saleor = {
    state, on, call, autoResize, framed, atLeast,
    notify: (status, title, text) =>
      dispatch("notification", { status, title, text }).catch(() => {}),
    redirect: (to) => dispatch("redirect", { to, newContext: false }).catch(() => {}),
    refreshEntity: () => (atLeast("3.23.9") ? dispatch("refreshEntity", {}).catch(() => {}) : null),
    ready: () => dispatch("notifyReady", {}).catch(() => {}),
  };
})();

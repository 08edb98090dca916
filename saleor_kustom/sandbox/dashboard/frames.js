/* The app's frames as Dashboard 3.21, 3.22 and 3.23 make them (saleor-app-protocol, part B). */
(function () {
  "use strict";
  const query = new URLSearchParams(location.search);
  const host = {
    version: query.get("v") || "3.23.27", locale: query.get("locale") || "en",
    theme: query.get("theme") || "light", permissions: query.get("permissions"), ttl: query.get("ttl"),
  };
  const log = []; // for tests: [direction, type, payload]
  const frames = new Set();
  const part = (i) => Number(host.version.split(".")[i]);
  const atLeast = (minor, patch = 0) => part(1) > minor || (part(1) === minor && part(2) >= patch);

  async function token() {
    const asked = new URLSearchParams();
    if (host.permissions) asked.set("permissions", host.permissions);
    if (host.ttl) asked.set("ttl", host.ttl);
    return (await (await fetch(`/dashboard/api/token?${asked}`)).json()).token;
  }
  /* A frame; `context` is what the Dashboard appends. 3.21 knows no widgets. */
  function frame(url, { context = {}, widget = false, app }) {
    const made = document.createElement("iframe");
    made.title = "Kustom captures";
    const rights = "allow-same-origin allow-forms allow-scripts allow-downloads";
    made.sandbox = atLeast(22, 6) || !widget ? `${rights} allow-popups` : rights;
    const values = { domain: new URL(app.apiUrl).host, saleorApiUrl: app.apiUrl, id: app.appId };
    const asked = new URLSearchParams(values);
    // In widgets some keys come twice; the last one counts.
    if (widget) Object.entries(values).forEach(([key, value]) => asked.append(key, value));
    Object.entries(context).forEach(([key, value]) => asked.append(key, value));
    if (!widget) asked.append("theme", host.theme);
    made.src = `${url}?${asked}`;
    const origin = new URL(url).origin;
    const post = (type, payload) => {
      log.push(["->", type, payload]);
      made.contentWindow?.postMessage({ type, payload }, origin);
    };
    const one = { made, origin, post, widget };
    frames.add(one);
    made.addEventListener("load", () => {
      shake(one);
      post("localeChanged", { locale: host.locale });
      post("theme", { theme: host.theme });
      post("redirect", { path: "/" });
    });
    return made;
  }
  async function shake(one) {
    const saleorVersion = one.widget ? "" : `3.${part(1)}.23`;
    one.post("handshake", { token: await token(), version: 1, saleorVersion, dashboardVersion: host.version });
  }
  addEventListener("message", (event) => {
    for (const one of frames) if (!one.made.isConnected) frames.delete(one);
    const one = [...frames].find((each) => each.made.contentWindow === event.source);
    const { type, payload } = event.data || {};
    if (!one || event.origin !== one.origin || !type || !payload?.actionId) return;
    log.push(["<-", type, payload]);
    const answer = (ok = true) => one.post("response", { actionId: payload.actionId, ok });
    if (answered(one, type, payload)) answer();
    else if (!atLeast(22)) throw new Error(`Unknown action type ${type}`);
    else console.warn(`${type} action is invalid`);
  });
  function answered(one, type, payload) {
    switch (type) {
      case "notifyReady": shake(one); return true;
      case "notification": toast(payload); return true;
      case "updateRouting": case "requestPermissions": return true;
      case "redirect": if (payload.to.startsWith("/orders/")) location.hash = `#${payload.to}`; return true;
      case "popupClose": if (!atLeast(22, 31)) return false; document.getElementById("popup").close(); return true;
      case "widgetResize":
        if (!atLeast(23, 8)) return false;
        if (one.widget) one.made.style.height = `${Math.min(Math.ceil(payload.height), 5000)}px`;
        return true;
      case "refreshEntity": if (!atLeast(23, 9)) return false; window.standIn.render(); return true;
      default: return false;
    }
  }
  function toast({ status, title, text }) {
    const one = document.createElement("li");
    one.className = status;
    const strong = document.createElement("strong");
    strong.textContent = title;
    one.append(strong, ` ${text || ""}`);
    document.getElementById("toasts").append(one);
    setTimeout(() => one.remove(), 5000);
  }
  window.frames_ = { host, log, frame, atLeast,
    refresh: async () => { const fresh = await token(); frames.forEach((one) => one.post("tokenRefresh", { token: fresh })); },
    theme: (theme) => { host.theme = theme; document.documentElement.dataset.theme = theme; frames.forEach((one) => one.post("theme", { theme })); },
    locale: (locale) => { host.locale = locale; frames.forEach((one) => one.post("localeChanged", { locale })); },
  };
})();

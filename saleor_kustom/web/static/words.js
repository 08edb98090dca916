/* Words for what scripts say, and times as the merchant writes them. */
(function () {
  "use strict";
  const saleor = window.saleor;
  const LANGUAGES = { en: "en", sv: "sv", nb: "nb", no: "nb", nn: "nb", da: "da", fi: "fi", de: "de" };
  const kept = {};

  function language() {
    return LANGUAGES[String(saleor.state.locale).toLowerCase().split(/[-_]/)[0]] || "en";
  }
  /* Load the language's words; without them the keys' English stands in the page already. */
  async function load() {
    const name = language();
    document.documentElement.lang = name;
    if (!kept[name]) {
      const answer = await fetch(`/static/words/${name}.json`);
      if (answer.ok) kept[name] = await answer.json();
    }
  }
  function say(key, values = {}) {
    const text = (kept[language()] || {})["script." + key] || key;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }
  const FORMS = {
    full: { dateStyle: "medium", timeStyle: "short" },
    second: { dateStyle: "medium", timeStyle: "medium" },
    day: { dateStyle: "medium" },
  };
  function locale() {
    try { return Intl.getCanonicalLocales(String(saleor.state.locale).replace("_", "-"))[0]; } catch { return "en"; }
  }
  /* How long from now, in the largest unit that is not 0. */
  function relative(date) {
    const seconds = (date - Date.now()) / 1000;
    const write = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
      if (Math.abs(seconds) >= size) return write.format(Math.trunc(seconds / size), unit);
    }
    return write.format(Math.trunc(seconds), "second");
  }
  function moment(date, form) {
    return form === "relative" ? relative(date) : new Intl.DateTimeFormat(locale(), FORMS[form]).format(date);
  }
  /* Write every time in an element in the merchant's zone and language. */
  function times(root) {
    root.querySelectorAll("time[data-form]").forEach((time) => {
      time.textContent = moment(new Date(time.dateTime), time.dataset.form);
    });
    root.querySelectorAll("rect[data-at] title").forEach((title) => {
      const day = new Date(Number(title.parentNode.dataset.at) * 1000);
      title.textContent = title.textContent.replace(/^[\d-]+/, moment(day, "day"));
    });
    root.querySelectorAll("input[data-time]").forEach((input) => {
      if (input.dataset.time) input.value = dateOf(Number(input.dataset.time), "end" in input.dataset);
    });
  }
  /* A date field's day as unix seconds at the merchant's midnight; `until` means its end. */
  function secondsOf(input) {
    if (!input.value) return "";
    const [year, month, day] = input.value.split("-").map(Number);
    return String(new Date(year, month - 1, day + ("end" in input.dataset ? 1 : 0)).getTime() / 1000);
  }
  function dateOf(seconds, isEnd) {
    const date = new Date(seconds * 1000 - (isEnd ? 1 : 0));
    const two = (n) => String(n).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }
  window.words = { load, say, times, secondsOf };
})();

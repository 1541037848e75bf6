// Comforts of the practice page; everything works without them. Runs after the page is read (defer).
(() => {
  const PREFIX = "tutor-answer:";
  const PATIENCE_MS = 20_000;
  const inHand = new Set();
  let pause_ms = 2_000;
  let retry = 0;

  const find = (selector) => document.querySelector(selector);
  const user = () => document.body.dataset.user;
  const page = () => find("#practice");

  // --- How long the question was looked at: hidden tabs and other visits do not count. ---
  const watch = { name: "", since: null };
  const spent = () => Number(sessionStorage.getItem(watch.name)) || 0;
  function stopWatch() {
    if (watch.since === null) return;
    try { sessionStorage.setItem(watch.name, String(Math.round(spent() + performance.now() - watch.since))); } catch { /* full or forbidden */ }
    watch.since = null;
  }
  function startWatch() {
    const showing = page()?.dataset.showing;
    stopWatch();
    watch.name = showing ? `tutor-spent:${showing}` : "";
    if (!showing || document.hidden) return;
    watch.since = performance.now();
  }
  const elapsed = () => Math.round(spent() + (watch.since === null ? 0 : performance.now() - watch.since));

  // --- Answers are kept on the device until the server has said what became of them. ---
  const kept = () => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))
    .map((name) => { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } })
    // Somebody else may have signed in on this device: their answers wait for them.
    .filter((entry) => entry?.user === user())
    .sort((one, other) => one.at - other.at);
  function keep(entry) {
    try { localStorage.setItem(PREFIX + entry.key, JSON.stringify(entry)); return true; } catch { return false; }
  }
  const drop = (entry) => localStorage.removeItem(PREFIX + entry.key);

  function say(kind, link) {
    const line = find("#sending");
    if (!line) return;
    line.className = kind ? `sending ${kind}` : "sending";
    line.textContent = kind ? line.dataset[kind] : "";
    if (link) {
      const to = document.createElement("a");
      [to.href, to.textContent] = [link, "→"];
      to.setAttribute("aria-label", line.textContent);
      line.append(" ", to);
    }
  }

  const isShown = (entry) => find(`form.answering[action="${CSS.escape(entry.url)}"]`) !== null;

  function lock(form) {
    form.inert = true;
    form.setAttribute("aria-busy", "true");
    form.classList.add("held");
    form.dataset.sent = "yes";
    lockBeside();
  }

  // Help taken now, or another way on, would come before the answer that waits.
  function lockBeside() {
    if (!find(".item > form.held")) return;
    for (const part of document.querySelectorAll("#hints, .ways, .foot")) part.inert = true;
  }

  function tokenIn(root) {
    return root.querySelector("[name=csrfmiddlewaretoken]")?.value;
  }

  // Not AbortSignal.timeout: a school's old tablets lack it.
  async function ask(url, options = {}) {
    const patience = new AbortController();
    const alarm = setTimeout(() => patience.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(url, { ...options, signal: patience.signal });
      return { answer, text: await answer.text() };
    } finally {
      clearTimeout(alarm);
    }
  }

  function post(entry, token) {
    const body = new URLSearchParams(entry.fields);
    if (token) body.set("csrfmiddlewaretoken", token);
    body.set("age_ms", String(Math.max(0, Date.now() - entry.at)));
    return ask(entry.url, { method: "POST", body, headers: { "HX-Request": "true" } });
  }

  const read = (text) => new DOMParser().parseFromString(text, "text/html");
  // "stored", "asked-again" or "refused": only the tutor itself says what became of an answer.
  const mark = (came) => came.answer.headers.get("X-Tutor-Answer");

  // The page may be older than the sign-in. Ask for a new one, and see that it is the same person's.
  async function freshToken() {
    const told = read((await ask("/learn/")).text);
    return told.body.dataset.user === user() ? tokenIn(told) : undefined;
  }

  async function deliver(entry) {
    let came = await post(entry, tokenIn(document));
    if (came.answer.status === 403 && !mark(came)) {
      const token = await freshToken();
      if (token) came = await post(entry, token);
    }
    return came;
  }

  async function send(entry) {
    if (inHand.has(entry.key)) return;
    inHand.add(entry.key);
    let came = null;
    // No network, or not the tutor that answers (a proxy, a hotel's page): it is kept.
    try { came = await deliver(entry); } catch { /* said by later() */ }
    inHand.delete(entry.key);
    if (came && mark(came)) return settle(entry, came);
    const to = came && new URL(came.answer.url);
    if (to?.pathname.startsWith("/sign-in/") || came?.answer.status === 403) {
      say("signIn", `/sign-in/?next=${encodeURIComponent(location.pathname)}`);
    } else {
      later();
    }
  }

  function settle(entry, came) {
    pause_ms = 2_000;
    const wasShown = isShown(entry);
    try {
      if (wasShown) show(entry, came);
    } catch (error) {
      // What became of it is the server's to show then.
      location.assign(entry.url);
      throw error;
    } finally {
      drop(entry);
    }
    if (!wasShown) say(mark(came) !== "stored" ? "refused" : kept().length ? "waiting" : "sent");
  }

  function show(entry, { answer, text }) {
    say("");
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) return void location.assign(elsewhere);
    if (answer.headers.get("X-Tutor-Answer") === "refused") return void showError(entry, text);
    move(answer.headers.get("HX-Push-Url") ?? new URL(answer.url).pathname);
    htmx.swap("#practice", text, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    arrive();
  }

  function showError(entry, text) {
    const told = read(text);
    const line = find("#sending");
    move(entry.url);
    find("main").replaceChildren(line, ...told.querySelector("main").childNodes);
    document.title = told.title;
    say("refused");
    find("main").focus();
  }

  function move(address) {
    // Asked again, or tried again: the same place, so that Back leads out of it.
    if (address === location.pathname) return history.replaceState({ htmx: true }, "", address);
    // Without this mark Back to here would change the address and not the page.
    history.replaceState({ htmx: true }, "", location.href);
    history.pushState({ htmx: true }, "", address);
  }

  function later() {
    say("waiting");
    clearTimeout(retry);
    retry = setTimeout(sendKept, pause_ms);
    pause_ms = Math.min(2 * pause_ms, 30_000);
  }

  // In the order in which they were given.
  async function sendKept() {
    for (const entry of kept()) {
      for (const form of document.querySelectorAll("form.answering")) {
        if (form.getAttribute("action") === entry.url) lock(form);
      }
      await send(entry);
    }
    seeDelivered();
  }

  // Another tab has delivered what this one holds: its address leads to what came of it.
  function seeDelivered() {
    const held = find("form.answering.held");
    if (!held || inHand.has(held.elements.client_key.value)) return;
    const url = held.getAttribute("action");
    if (!kept().some((entry) => entry.url === url)) location.replace(url);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.answering")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.elements.elapsed_ms.value = elapsed();
    const fields = [...new FormData(form)];
    const entry = {
      key: form.elements.client_key.value, user: user(), url: form.getAttribute("action"), fields, at: Date.now(),
    };
    form.dataset.sent = "yes";
    // Where nothing can be kept, and where the page is not whole, it is an ordinary form.
    if (!page() || !window.htmx || !user() || !keep(entry)) return;
    event.preventDefault();
    lock(form);
    send(entry);
  }, true);

  // --- What a part that has just come in needs ---
  function arrive({ isFirst = false } = {}) {
    for (const keys of document.querySelectorAll(".keys[hidden]")) {
      keys.hidden = false;
      // The signs that a keypad lacks stand beside it.
      const field = keys.closest("form").elements.text;
      if (field?.dataset.keypad) field.inputMode = field.dataset.keypad;
    }
    startWatch();
    const isFine = matchMedia("(pointer: fine)").matches;
    const problem = find("form.answering [aria-invalid=true]");
    const field = find(".item > form .answer, .item > form input[type=radio], .item > form input[type=checkbox]");
    const next = find(".note textarea") ?? find("[data-next]");
    const heading = find("#practice h1[tabindex]");
    // A phone's keyboard must not cover the question before it is read.
    const target = problem ?? (isFine ? field ?? next : null) ?? (isFirst ? null : heading);
    target?.focus({ preventScroll: true });
    if (!isFirst) scrollTo({ top: 0, behavior: "instant" });
  }

  // The button is gone with the part that it stood in; the reading goes on at what is new.
  function arriveAtHelp() {
    const isFine = matchMedia("(pointer: fine)").matches;
    const step = find("#hints .steps form")?.closest("li");
    const target = find("#hints .worked") ?? (isFine ? step?.querySelector(".answer") : step)
      ?? find("#hints .steps .all-done") ?? find("#hints .hints > li:last-child");
    if (!target) return;
    if (!target.matches("input")) target.tabIndex = -1;
    target.focus();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    // What settle() swaps in is looked after there.
    const into = event.detail.target;
    if (!into) return;
    if (into.id === "practice") {
      arrive();
    } else if (into.id === "hints") {
      lockBeside();
      arriveAtHelp();
    } else if (into.classList.contains("report")) {
      find(".report[tabindex] .thanks")?.closest(".report").focus();
    }
  });

  // A preview is not worth an error.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("input") && !navigator.onLine) event.preventDefault();
  });

  // Signed out meanwhile, or the session is over: the whole page changes, not a part of it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const to = new URL(event.detail.xhr.responseURL || location.href);
    if (to.pathname !== "/sign-in/") return;
    event.detail.shouldSwap = false;
    location.assign("/sign-in/?next=" + encodeURIComponent(location.pathname));
  });
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (!event.detail.elt.matches("input")) say("failed");
    });
  }

  addEventListener("online", sendKept);
  addEventListener("storage", (event) => {
    if (event.key === null || (event.key.startsWith(PREFIX) && event.newValue === null)) seeDelivered();
  });
  addEventListener("offline", () => { if (page()) say(kept().length ? "waiting" : ""); });
  document.addEventListener("visibilitychange", () => (document.hidden ? stopWatch() : startWatch()));
  addEventListener("pagehide", stopWatch);
  addEventListener("pageshow", (event) => {
    // From the back-forward cache: what is here may be long answered.
    if (event.persisted) location.reload();
  });

  arrive({ isFirst: true });
  if (user()) sendKept();
})();

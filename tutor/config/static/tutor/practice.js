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
    if (!showing || document.hidden) return;
    watch.name = `tutor-spent:${showing}`;
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

  const isShown = (entry) => find(`form.answering[action="${CSS.escape(entry.url)}"]`) !== null
    || find(`form.answering[action="${entry.url}"]`) !== null;

  function lock(form, isLocked) {
    form.toggleAttribute("inert", isLocked);
    form.setAttribute("aria-busy", String(isLocked));
    form.classList.toggle("held", isLocked);
    if (isLocked) form.dataset.sent = "yes"; else delete form.dataset.sent;
  }

  function tokenIn(root) {
    return root.querySelector("[name=csrfmiddlewaretoken]")?.value;
  }

  async function post(entry, token) {
    const body = new URLSearchParams(entry.fields);
    if (token) body.set("csrfmiddlewaretoken", token);
    body.set("age_ms", String(Math.max(0, Date.now() - entry.at)));
    return fetch(entry.url, {
      method: "POST", body, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }

  // The page may be older than the sign-in. Ask for a new one, and see that it is the same person's.
  async function freshToken() {
    const answer = await fetch("/learn/", { signal: AbortSignal.timeout(PATIENCE_MS) });
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    return read.body.dataset.user === user() ? tokenIn(read) : undefined;
  }

  async function send(entry) {
    if (inHand.has(entry.key)) return;
    inHand.add(entry.key);
    try {
      let answer = await post(entry, tokenIn(document));
      if (answer.status === 403) {
        const token = await freshToken();
        if (token) answer = await post(entry, token);
      }
      if (!new URL(answer.url).pathname.startsWith("/learn/") || answer.status === 403) {
        say("signIn", `/sign-in/?next=${encodeURIComponent(location.pathname)}`);
        return;
      }
      if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      await settle(entry, answer);
    } catch {
      later();
    } finally {
      inHand.delete(entry.key);
    }
  }

  async function settle(entry, answer) {
    const text = await answer.text();
    drop(entry);
    pause_ms = 2_000;
    if (!isShown(entry)) {
      say(kept().length ? "waiting" : "sent");
      return;
    }
    say("");
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) return void location.assign(elsewhere);
    if (!answer.ok && answer.status !== 422) {
      const told = new DOMParser().parseFromString(text, "text/html").querySelector("main");
      if (told) find("main").replaceChildren(...told.childNodes);
      return;
    }
    const address = answer.headers.get("HX-Push-Url") ?? new URL(answer.url).pathname;
    // Asked again, or tried again: the same place, so that Back leads out of it.
    const move = address === location.pathname ? "replaceState" : "pushState";
    history[move]({ htmx: true }, "", address);
    htmx.swap("#practice", text, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    arrive();
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
        if (form.getAttribute("action") === entry.url) lock(form, true);
      }
      await send(entry);
    }
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
    lock(form, true);
    send(entry);
  }, true);

  // --- Keys ---
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    const key = CSS.escape(event.key);
    const option = find(`details[open] form.answering [data-key="${key}"]`)
      ?? find(`.item > form [data-key="${key}"]`);
    if (!option || option.closest("[inert]")) return;
    event.preventDefault();
    option.checked = option.type === "checkbox" ? !option.checked : true;
    option.focus();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const field = button.closest("form").elements.text;
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  // --- What a part that has just come in needs ---
  function arrive({ isFirst = false } = {}) {
    for (const keys of document.querySelectorAll(".keys[hidden]")) {
      keys.hidden = false;
      // The signs that a keypad lacks stand beside it.
      const field = keys.closest("form").elements.text;
      if (find(".item [name=kind]")?.value === "number" && field) field.inputMode = "decimal";
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

  document.addEventListener("htmx:afterSwap", (event) => {
    // What settle() swaps in is looked after there.
    const into = event.detail.target;
    if (!into) return;
    if (into.id === "practice") {
      arrive();
    } else if (into.id === "hints") {
      find("#hints .steps form .answer")?.focus({ preventScroll: true });
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

// Comforts of bringing a log; everything works without them.
// Runs after the page is read (defer).
(() => {
  const form = document.querySelector("form.bring");
  if (form) bring(form);

  // The server does a thing once; this only spares it the second request.
  for (const once of document.querySelectorAll("form[data-once]")) {
    once.addEventListener("submit", (event) => {
      if (once.dataset.sent) event.preventDefault();
      once.dataset.sent = "yes";
    });
    addEventListener("pageshow", () => delete once.dataset.sent);
  }

  function bring(form) {
    const { log, course } = form.elements;
    const problem = form.querySelector("#bring-problem");
    const sending = form.querySelector(".sending");
    const words = form.querySelector("#sent-words");
    const bar = form.querySelector("progress");
    const title = form.querySelector(".title");
    const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });

    const say = (text) => {
      problem.textContent = text;
      problem.hidden = !text;
      if (text) problem.scrollIntoView({ block: "nearest" });
    };
    const showTitle = () => { title.hidden = Boolean(course.value); };
    const isTooBig = () => {
      const size = log.files[0]?.size ?? 0;
      const most = Number(form.dataset.maxBytes);
      if (size <= most) return false;
      say(`The file has ${megabytes(size)} MB; at most ${megabytes(most)} MB can be brought here. `
        + "Compress it (gz, xz, bz2 or zip), save it as Parquet, or bring it in parts.");
      return true;
    };
    course.addEventListener("change", showTitle);
    showTitle();
    log.addEventListener("change", () => { say(""); isTooBig(); });

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.dataset.sent || isTooBig()) return;
      form.dataset.sent = "yes";
      say("");
      const request = new XMLHttpRequest();
      const stop = () => {
        delete form.dataset.sent;
        sending.hidden = true;
      };
      let told = -1;
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        const percent = Math.floor((loaded / total) * 100);
        bar.value = percent;
        if (percent >= told + 10 || percent === 100) {
          told = percent;
          words.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB`;
        }
      });
      request.addEventListener("load", () => {
        stop();
        // A taken file leads to its own page; anything else says what is wrong.
        if (request.status < 400 && request.responseURL !== new URL(form.action).href) {
          location.assign(request.responseURL);
          return;
        }
        const answer = new DOMParser().parseFromString(request.responseText, "text/html");
        const told = answer.querySelector("#bring-problem:not([hidden])") ?? answer.querySelector("main");
        say(told?.textContent.trim() || "The server did not take the file. Try again later.");
      });
      request.addEventListener("error", () => {
        stop();
        say("The connection broke off, or the file is far larger than the limit. Try again.");
      });
      request.addEventListener("abort", () => { stop(); say("Stopped: nothing was kept."); });
      form.querySelector("#stop-sending").onclick = () => request.abort();
      request.open("POST", form.action);
      sending.hidden = false;
      words.textContent = "";
      request.send(new FormData(form));
    });
    addEventListener("pageshow", () => delete form.dataset.sent);
  }
})();

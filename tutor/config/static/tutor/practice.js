// Comforts of the practice page; everything works without them.
// Runs after the page is read (defer).
(() => {
  const shownAt = performance.now();

  for (const form of document.querySelectorAll("form[data-shown]")) {
    form.addEventListener("submit", (event) => {
      // The server stores a repeated answer once; this only spares it the second request.
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      form.elements.elapsed_ms.value = Math.round(performance.now() - shownAt);
    });
  }

  // A page from the back-forward cache may be sent again: the server knows the answer by its key.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-shown]")) delete form.dataset.sent;
  });

  // Number keys choose, unless something is being written.
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    const option = document.querySelector(`details[open] [data-key="${CSS.escape(event.key)}"]`)
      ?? document.querySelector(`.item > form [data-key="${CSS.escape(event.key)}"]`);
    if (!option) return;
    event.preventDefault();
    if (option.type === "checkbox") option.checked = !option.checked;
    else option.checked = true;
    option.focus();
  });

  const first = document.querySelector(".item > form .answer, .item > form input[type=radio], .item > form input[type=checkbox], [data-next]");
  if (first && matchMedia("(pointer: fine)").matches) first.focus({ preventScroll: true });
})();

// Digits that choose an answer, and buttons for signs that a phone's keyboard hides.
(() => {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    // Only from among the answers (WCAG 2.1.4): elsewhere a digit may be a word said to a dictation.
    const form = event.target.closest?.("form.answering");
    const option = form?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!option || form.inert) return;
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
})();

// The class by concept: a field says in words what it shows, arrow keys go from field to field,
// Enter or a click opens the learner's topic. Without this the table is read as any other.
(() => {
  "use strict";
  const table = document.querySelector("[data-grid]");
  const told = document.querySelector(".told");
  if (!table || !told) return;
  const scroller = table.parentNode;
  const heads = [...table.tHead.rows[0].cells];
  const FIRST = 2; // the name, and how many are mastered

  const isField = (cell) => cell instanceof HTMLTableCellElement && cell.tagName === "TD" && cell.cellIndex >= FIRST;
  const field = (event) => { const cell = event.target.closest("td"); return isField(cell) ? cell : null; };

  function words(cell) {
    const n = cell.querySelector("b");
    const band = cell.querySelector(".hidden").textContent.replace(/, $/, "");
    const answers = n ? `${n.textContent} answer${n.textContent === "1" ? "" : "s"}` : "no answers";
    return [cell.parentNode.cells[0].textContent.trim(), heads[cell.cellIndex].textContent.trim(), `${band}, ${answers}`];
  }

  function show(cell) {
    told.replaceChildren(...words(cell).map((text) => { const line = document.createElement("span"); line.textContent = text; return line; }));
    told.hidden = false;
    const box = cell.getBoundingClientRect(), size = told.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - size.width / 2), document.documentElement.clientWidth - size.width - 8);
    const above = box.top - size.height - 8;
    told.style.left = `${left}px`;
    told.style.top = `${above > 8 ? above : box.bottom + 8}px`;
  }

  function open(cell) {
    const link = cell.parentNode.cells[0].querySelector("a");
    const slug = heads[cell.cellIndex].dataset.slug;
    if (link && slug) window.location.assign(new URL(`topics/${slug}/`, link.href));
  }

  let current = table.querySelector("tbody td:nth-child(3)");
  if (!current) return;
  current.tabIndex = 0;

  function go(to) {
    if (!isField(to)) return;
    current.tabIndex = -1;
    current = to;
    current.tabIndex = 0;
    // Not behind the heads, which stay in place.
    const [name] = current.parentNode.cells;
    scroller.style.scrollPadding = `${table.tHead.offsetHeight}px 0 0 ${name.offsetWidth}px`;
    current.focus();
  }

  table.addEventListener("pointerover", (event) => { const cell = field(event); if (cell) show(cell); });
  table.addEventListener("pointerleave", () => { if (document.activeElement !== current) told.hidden = true; else show(current); });
  table.addEventListener("focusin", (event) => { const cell = field(event); if (cell) show(cell); else told.hidden = true; });
  table.addEventListener("focusout", () => { told.hidden = true; });
  table.addEventListener("click", (event) => { const cell = field(event); if (cell) open(cell); });
  // Arrow keys scroll too: what is said goes along with its field, as long as that is in sight.
  scroller.addEventListener("scroll", () => {
    const box = current.getBoundingClientRect(), sight = scroller.getBoundingClientRect();
    const isSeen = box.right > sight.left && box.left < sight.right && box.bottom > sight.top && box.top < sight.bottom;
    if (!told.hidden && isSeen && document.activeElement === current) show(current);
    else told.hidden = true;
  }, { passive: true });
  table.addEventListener("keydown", (event) => {
    const cell = field(event);
    if (!cell || event.altKey || event.metaKey || event.shiftKey) return;
    const row = cell.parentNode, rows = [...table.tBodies[0].rows], at = rows.indexOf(row), last = row.cells.length - 1;
    const moves = {
      ArrowRight: () => row.cells[cell.cellIndex + 1],
      ArrowLeft: () => row.cells[cell.cellIndex - 1],
      ArrowDown: () => rows[at + 1]?.cells[cell.cellIndex],
      ArrowUp: () => rows[at - 1]?.cells[cell.cellIndex],
      Home: () => (event.ctrlKey ? rows[0] : row).cells[FIRST],
      End: () => (event.ctrlKey ? rows[rows.length - 1] : row).cells[last],
    };
    if (event.key === "Enter") { event.preventDefault(); open(cell); }
    else if (event.key === "Escape") told.hidden = true;
    else if (moves[event.key]) { event.preventDefault(); go(moves[event.key]()); }
  });
})();

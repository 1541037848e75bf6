// Comforts of the map of concepts; it can be read without them.
// Runs after the page is read (defer).
(() => {
  // On a phone the list comes first, elsewhere the map; the style sheet does the same without us.
  const wanted = matchMedia("(max-width: 45rem)").matches ? "narrow" : "wide";
  for (const radio of document.querySelectorAll(`[data-view="${wanted}"]`)) {
    const isChosen = document.querySelector(`[name="${radio.name}"]:checked`);
    if (!isChosen) radio.checked = true;
  }

  // Pointing at a concept shows what it builds on and what builds on it.
  for (const map of document.querySelectorAll(".map svg")) {
    const mark = (number) => {
      map.classList.toggle("pointed", number !== null);
      for (const near of map.querySelectorAll(".near")) near.classList.remove("near");
      if (number === null) return;
      map.querySelector(`[data-node="${number}"]`).classList.add("near");
      for (const edge of map.querySelectorAll(`[data-from="${number}"], [data-to="${number}"]`)) {
        edge.classList.add("near");
        for (const end of [edge.dataset.from, edge.dataset.to]) {
          map.querySelector(`[data-node="${end}"]`).classList.add("near");
        }
      }
    };
    for (const node of map.querySelectorAll("[data-node]")) {
      node.addEventListener("pointerenter", () => mark(node.dataset.node));
      node.addEventListener("pointerleave", (event) => {
        if (event.pointerType === "mouse") mark(null);
      });
    }
  }
})();

"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const count = document.getElementById("count");
  const cards = Array.from(document.querySelectorAll("article"), (element) => ({
    element, kind: element.dataset.kind, origin: element.dataset.origin, text: null,
  }));
  const checked = (name) =>
    new Set(Array.from(form.querySelectorAll(`[name=${name}]:checked`), (box) => box.value));
  const filter = () => {
    const kinds = checked("kind");
    const origins = checked("origin");
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      let fits = kinds.has(card.kind) && (!card.origin || origins.has(card.origin));
      if (fits && words.length) {
        card.text ??= card.element.textContent.toLowerCase();
        fits = words.every((word) => card.text.includes(word));
      }
      if (card.element.hidden === fits) card.element.hidden = !fits;
      if (fits) shown += 1;
    }
    count.textContent = `${shown} of ${cards.length} shown`;
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(filter);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const search = form.elements.text;
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
  filter();
})();

"use strict";
(() => {
  // A picture that cannot be loaded becomes a drawn garment of the product's type.
  const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const draw = (image) => {
    const card = image.closest("[data-garment]");
    if (!card) return;
    const hue = Array.from(image.src).reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
    const drawn = svg("svg", { class: "garment", viewBox: "0 0 96 96", role: "img", "aria-label": image.alt });
    drawn.style.setProperty("--hue", hue);
    const id = Array.from(card.dataset.id);
    const label = svg("text", { x: 48, y: 90, "text-anchor": "middle" });
    label.textContent = id.length > 14 ? `${id.slice(0, 13).join("")}…` : id.join("");
    drawn.append(svg("use", { href: `#garment-${card.dataset.garment}`, x: 16, y: 5, width: 64, height: 72 }), label);
    image.replaceWith(drawn);
  };
  document.addEventListener("error", ({ target }) => target.tagName === "IMG" && draw(target), true);
  for (const image of document.querySelectorAll("article img")) {
    if (image.complete && !image.naturalWidth) draw(image);
  }

  const form = document.getElementById("filters");
  if (!form) return;
  const count = document.getElementById("count");
  const search = form.elements.text;
  const sections = Array.from(document.querySelectorAll("section.kind"), (section) => ({
    section,
    kind: section.classList.item(1),
    number: section.querySelector("h2 .number"),
    all: section.querySelectorAll("article").length,
    chunks: Array.from(section.querySelectorAll(".chunk"), (chunk) => ({
      chunk,
      cards: Array.from(chunk.children, (card) => ({ card, origin: card.dataset.origin, text: null })),
    })),
  }));
  const cards = sections.flatMap(({ chunks }) => chunks.flatMap((chunk) => chunk.cards));
  const chosen = (name) =>
    new Set(Array.from(form.querySelectorAll(`[name=${name}]:checked`), (box) => box.value));

  // Nothing chosen in a row of chips means no wish: everything is shown.
  const filter = () => {
    const kinds = chosen("kind");
    const origins = chosen("origin");
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let total = 0;
    for (const { section, kind, number, all, chunks } of sections) {
      const wanted = !kinds.size || kinds.has(kind);
      let shownHere = 0;
      for (const { chunk, cards } of wanted ? chunks : []) {
        let shown = 0;
        for (const item of cards) {
          let fits = !origins.size || origins.has(item.origin);
          if (fits && words.length) {
            item.text ??= item.card.textContent.toLowerCase();
            fits = words.every((word) => item.text.includes(word));
          }
          if (item.card.hidden === fits) item.card.hidden = !fits;
          if (fits) shown += 1;
        }
        chunk.hidden = !shown;
        chunk.style.containIntrinsicHeight = `auto ${6 * shown}rem`;
        shownHere += shown;
      }
      section.hidden = !shownHere;
      number.textContent = shownHere === all ? `${all}` : `${shownHere} of ${all}`;
      total += shownHere;
    }
    count.textContent = `${total} of ${cards.length} shown`;
  };
  const showAll = () => {
    form.reset();
    filter();
  };
  // A link names a product by its place in the page, or simply by its store_id.
  const goToLinked = () => {
    let name = location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      // Not encoded: taken as it stands.
    }
    if (!name) return;
    document.querySelector("article.found")?.classList.remove("found");
    const linked = cards.find(({ card }) => card.id === name || card.dataset.id === name)?.card;
    if (!linked) return;
    if (linked.hidden || linked.closest("[hidden]")) showAll();
    linked.classList.add("found");
    linked.scrollIntoView({ block: "start" });
    linked.querySelector(".anchor").focus({ preventScroll: true });
  };

  let waiting = 0;
  form.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(filter);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape") {
      showAll();
    }
  });
  addEventListener("hashchange", goToLinked);
  form.hidden = false;
  filter();
  goToLinked();
})();

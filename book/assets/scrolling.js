// Formulas, code, tables and outputs that are wider than the column scroll inside themselves. Let all see and hear it:
// a fade at the edge that hides more (custom.css), a stop for the keyboard, and a name. A formula that is a little too
// wide becomes a little smaller instead.
(() => {
  const KINDS = {
    "div.math > div.display, span.math": "Formula",
    "div.cell_output pre, div.cell_output > .output": "Output",
    pre: "Code",
    ".pst-scrollable-table-container": "Table",
  };
  const SMALLER = 1.15; // at most so much
  const boxes = new Map();

  const fade = (box) => {
    const hidden = box.scrollWidth - box.clientWidth;
    const more = [box.scrollLeft >= 1 && "left", box.scrollLeft <= hidden - 1 && "right"];
    box.dataset.more = more.filter(Boolean).join(" ");
  };

  const mark = (box, kind) => {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0; // the theme does this for some, without a name
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${kind}, scrolls sideways`);
      fade(box);
    } else if (box.dataset.more !== undefined) {
      for (const name of ["tabindex", "role", "aria-label", "data-more"]) box.removeAttribute(name);
    }
  };

  const markAll = () => {
    const formulas = [...boxes.keys()].filter((box) => box.matches("div.display"));
    for (const box of formulas) box.style.fontSize = "";
    const excess = formulas.map((box) => (box.scrollWidth + 1) / box.clientWidth);
    formulas.forEach((box, i) => {
      if (excess[i] > 1 + 2 / box.clientWidth && excess[i] < SMALLER) box.style.fontSize = `${100 / excess[i]}%`;
    });
    for (const [box, kind] of boxes) mark(box, kind);
  };

  const find = () => {
    for (const [selector, kind] of Object.entries(KINDS)) {
      for (const box of document.querySelectorAll(`article :is(${selector})`)) {
        if (boxes.has(box) || box.closest(".ddpm-host")) continue;
        boxes.set(box, kind);
        box.addEventListener("scroll", () => fade(box), { passive: true });
      }
    }
    const article = document.querySelector("article");
    if (article) new ResizeObserver(() => requestAnimationFrame(markAll)).observe(article);
    document.addEventListener("toggle", markAll, true); // a fold that opens
  };

  addEventListener("load", find);
})();

// Flows a chapter's blocks on to slides of 1280 by 720, fits each to its frame, and turns them by keyboard and button.
(() => {
  "use strict";
  const WIDTH = 1160; // of a frame less its padding
  const LARGEST = { figure: 1.9, widget: 1.45 }; // how much one that has room grows
  const SMALLEST = 0.62; // and how small it becomes to stay with what stands beside it
  const TABLES = 1.4; // of a frame: as much as two tables may take before their letters become smaller
  const root = document.documentElement;
  const slides = document.getElementsByClassName("slide"); // live: it grows as they are split
  const is = (node, kind) => Boolean(node?.classList.contains(kind));
  const blocksOf = (slide) => [...slide.querySelectorAll(".body > .block")];
  const bodyOf = (slide) => slide.querySelector(".body");
  const room = (slide) => bodyOf(slide).clientHeight - parseFloat(getComputedStyle(bodyOf(slide)).paddingTop);
  const GAP = 16;

  // A second slide with the same heading, for `first` and what follows it.
  function split(slide, first) {
    const next = document.createElement("section"), header = slide.querySelector("header").cloneNode(true);
    header.querySelector(".lead")?.remove();
    next.className = `${slide.className} more`;
    next.innerHTML = '<div class="stage"><div class="frame"><div class="body"></div></div></div><div class="notes" tabindex="0" role="group" aria-label="Notes"></div>';
    next.querySelector(".frame").prepend(header);
    slide.after(next);
    for (let node = first, after; node; node = after) {
      after = node.nextElementSibling;
      bodyOf(next).append(node);
    }
    return next;
  }

  // The rows of a long table that find no room go on in a block after it, below the same head.
  function splitTable(block, height) {
    const table = block.querySelector("table"), rows = table ? [...table.tBodies[0].rows] : [];
    const top = table?.getBoundingClientRect().top;
    const parts = Math.ceil(block.offsetHeight / height), each = block.offsetHeight / parts; // about equal
    const first = rows.findIndex((row, i) => i > 0 && row.getBoundingClientRect().bottom - top > each + row.offsetHeight / 2);
    if (first < 1 || first > rows.length - 2) return;
    const rest = block.cloneNode(true), body = rest.querySelector("table").tBodies[0];
    for (const node of rest.querySelectorAll("[id]")) node.removeAttribute("id");
    body.replaceChildren(...rows.slice(first));
    block.after(rest);
  }

  function flow(slide) {
    let used = 0, before = null;
    for (let i = 0; i < blocksOf(slide).length; i += 1) {
      const block = blocksOf(slide)[i], follows = blocksOf(slide)[i + 1];
      if (is(block, "table") && block.offsetHeight > 1.15 * room(slide)) splitTable(block, room(slide));
      const alone = (each) => is(each, "widget") || is(each, "question");
      const need = block.offsetHeight + (is(block, "leading") && follows ? GAP + follows.offsetHeight : 0);
      const much = is(before, "table") && is(block, "table") ? TABLES : 1;
      const full = used + need > much * room(slide) && !is(before, "leading");
      if (is(slide, "level-1") && !is(slide, "more") && (is(block, "widget") || is(block, "figure"))) return split(slide, block);
      if (before && (full || alone(block) || alone(before) || is(before, "predict"))) return split(slide, block);
      used += block.offsetHeight + GAP;
      before = block;
    }
    return null;
  }

  const letters = (block, k) => { block.style.fontSize = k === 1 ? "" : `${k}em`; };
  const wide = (block) => {
    const inner = [...block.querySelectorAll("table, math")];
    const number = block.querySelector(".eqno");
    return Math.max(0, ...inner.map((node) => node.getBoundingClientRect().width)) / shown + (number ? number.offsetWidth + 20 : 0);
  };

  // Pictures and widgets take what room there is; where all is too much, letters become smaller.
  function fit(slide) {
    const blocks = blocksOf(slide);
    if (!blocks.length) return;
    const elastic = blocks.filter((block) => is(block, "figure") || is(block, "widget"));
    for (const block of blocks) {
      letters(block, 1);
      for (let k = 0.95; wide(block) > WIDTH && k > 0.4; k -= 0.05) letters(block, k);
    }
    for (const block of elastic) enlarge(block, 1);
    const total = () => blocks.reduce((sum, block) => sum + block.offsetHeight, GAP * (blocks.length - 1));
    const flexible = elastic.reduce((sum, block) => sum + pictureHeight(block), 0);
    if (flexible) {
      const k = 1 + (room(slide) - total()) / flexible;
      const smallest = blocks.length === elastic.length ? 0.3 : SMALLEST;
      for (const block of elastic) enlarge(block, Math.max(smallest, Math.min(k, LARGEST[is(block, "figure") ? "figure" : "widget"])));
    }
    const rest = blocks.filter((block) => !elastic.includes(block));
    for (let k = 0.95; total() > room(slide) && k > 0.5; k -= 0.05)
      for (const block of rest) if (!block.style.fontSize || parseFloat(block.style.fontSize) > k) letters(block, k);
  }

  const pictureHeight = (block) => (is(block, "figure") ? block.querySelector("img") : block.firstElementChild)?.offsetHeight ?? 0;

  function enlarge(block, k) {
    if (is(block, "figure")) {
      const image = block.querySelector("img");
      image.style.maxHeight = "none";
      image.style.width = image.dataset.own ??= `${image.offsetWidth || image.naturalWidth}px`;
      image.style.width = `${Math.min(WIDTH, parseFloat(image.dataset.own) * k)}px`;
    } else {
      const inner = block.firstElementChild;
      inner.style.transform = k === 1 ? "" : `scale(${k})`;
      block.style.height = `${inner.offsetHeight * k}px`;
    }
  }

  let shown = 1; // the frames' scale
  let current = 0;
  function scale() {
    const height = document.body.classList.contains("with-notes") ? 0.6 * innerHeight : innerHeight;
    shown = Math.min(innerWidth / 1280, height / 720);
    root.style.setProperty("--scale", shown);
    go(current);
  }

  function go(to) {
    current = Math.max(0, Math.min(slides.length - 1, to));
    slides[current].scrollIntoView({ behavior: "instant" });
    tell();
  }

  function tell() {
    document.querySelector(".bar output").textContent = `${current + 1} / ${slides.length}`;
    const menu = document.querySelector(".bar select");
    for (let i = current; i >= 0; i -= 1)
      if (slides[i].id) { menu.value = slides[i].id; break; }
    try { history.replaceState(null, "", `#${current + 1}`); } catch { /* a sandboxed frame has no history */ }
  }

  function notes() {
    const on = document.body.classList.toggle("with-notes");
    document.querySelector("[data-do=notes]").setAttribute("aria-pressed", String(on));
    scale();
  }

  const ACTIONS = {
    ArrowRight: () => go(current + 1), ArrowDown: () => go(current + 1), PageDown: () => go(current + 1), " ": () => go(current + 1),
    ArrowLeft: () => go(current - 1), ArrowUp: () => go(current - 1), PageUp: () => go(current - 1),
    Home: () => go(0), End: () => go(slides.length - 1), n: notes,
    f: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
    Escape: () => document.activeElement?.blur(),
  };

  // A slider, a menu or a button keeps its own keys; those of a presenter's remote always turn the slides.
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const { key, target } = event, within = (what) => target instanceof Element && target.closest(what) !== null;
    const remote = key === "PageDown" || key === "PageUp" || key === "Escape", letter = /^[a-z]$/i.test(key);
    if (!remote && within("select, textarea, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])")) return;
    if (!remote && !letter && within("input, canvas, [role=slider], [role=radio], [role=application], .notes")) return;
    if (key === " " && within("button, summary, a")) return;
    const action = key === " " && event.shiftKey ? ACTIONS.PageUp : ACTIONS[key.length === 1 ? key.toLowerCase() : key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  addEventListener("scroll", () => {
    const at = Math.round(root.scrollTop / innerHeight);
    if (at !== current && slides[at]) { current = at; tell(); }
  }, { passive: true });
  addEventListener("resize", scale);
  addEventListener("click", (event) => {
    const does = event.target instanceof Element && event.target.closest("[data-do]")?.dataset.do;
    if (does) ({ notes, back: () => go(current - 1), next: () => go(current + 1) })[does]();
  });

  // A deck is longer than a lesson: the menu leads to a section. One chosen with the mouse gives the keys back.
  function menu() {
    const select = document.querySelector(".bar select");
    let pointed = false;
    select.addEventListener("pointerdown", () => { pointed = true; });
    select.addEventListener("keydown", () => { pointed = false; });
    select.addEventListener("change", () => {
      go([...slides].findIndex((slide) => slide.id === select.value));
      if (pointed) select.blur();
    });
  }

  async function begin() {
    menu();
    const start = Number(/^#(\d+)$/.exec(location.hash)?.[1] ?? 1) - 1, place = location.hash.slice(1);
    await document.fonts.ready;
    root.style.setProperty("--scale", 1);
    for (const first of [...slides]) for (let slide = first; slide; ) slide = flow(slide);
    [...slides].forEach((slide, i) => {
      slide.setAttribute("aria-label", `Slide ${i + 1}`);
      slide.querySelector(".notes").append(...slide.querySelectorAll(".body > .note"));
      fit(slide);
    });
    const grown = new ResizeObserver((seen) => new Set(seen.map(({ target }) => target.closest(".slide"))).forEach(fit));
    for (const inner of document.querySelectorAll(".block > .fit")) grown.observe(inner);
    const named = place && document.getElementById(place)?.closest(".slide");
    current = named ? [...slides].indexOf(named) : start;
    scale();
    root.dataset.ready = "true";
  }
  if (document.readyState === "complete") begin(); else addEventListener("load", begin);
})();

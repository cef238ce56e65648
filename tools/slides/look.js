// Of every slide: what reaches over its frame or over the block before it, and letters that are too small to read.
(least) => [...document.querySelectorAll(".slide")].flatMap((slide, i) => {
  const LINE = 20; // pixels that the bar below covers
  const PARTS = "img, table, math, pre, p, li, .ddpm-widget, canvas, button, input";
  const found = [], frame = slide.querySelector(".frame").getBoundingClientRect();
  const title = slide.querySelector("h1, h2").textContent.trim();
  const say = (what, node) => found.push(`slide ${i + 1} (${title}): ${node.className || node.nodeName} ${what}`);
  const over = (node) => {
    const edge = node.getBoundingClientRect();
    if (!edge.width || !node.checkVisibility() || node.closest(".ddpm-unseen")) return 0;
    return Math.max(frame.left - edge.left, edge.right - frame.right, edge.bottom - frame.bottom + LINE, frame.top - edge.top);
  };
  let before = null;
  for (const box of slide.querySelectorAll("header, .block")) {
    const edge = box.getBoundingClientRect();
    if (before !== null && edge.top < before - 1) say("lies over what stands before it", box);
    before = edge.bottom;
    const most = Math.max(...[box, ...box.querySelectorAll(PARTS)].map(over));
    if (most > 1) say(`reaches over the frame by ${Math.round(most)} px`, box);
    if (parseFloat(getComputedStyle(box).fontSize) < least) say("has tiny letters", box);
  }
  return found;
})

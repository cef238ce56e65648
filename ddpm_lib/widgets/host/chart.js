// Charts for the widgets: curves in an svg that stretches with the page, letters around it that do not.
// Shares run from 0 to 1: x from the left, y from the top.

// chart("alpha bar against t", title) -> its node, its frame (for what lies on top of the curves) and three tools.
function chart(label, ...title) {
  const svg = h("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const line = (name) => {
    const path = h("path", { class: name, "vector-effect": "non-scaling-stroke" });
    svg.append(path);
    return path;
  };
  const grid = line("ddpm-grid");
  const letters = h("div", { "aria-hidden": "true" });
  const frame = h("div", { class: "ddpm-frame" }, svg, letters);
  const picture = h("div", { class: "ddpm-area", role: "img", "aria-label": label }, frame);
  const node = h("div", { class: "ddpm-chart" }, h("div", { class: "ddpm-title" }, ...title), picture);
  const letter = (name, side, [share, ...face]) => {
    const tick = h("span", { class: `ddpm-tick ddpm-${name}` }, ...face);
    tick.style[side] = `${100 * share}%`;
    return tick;
  };
  // Letters beneath (x) and on the left (y), each [share, face]; those on the left have a line across.
  const ticks = (xs, ys) => {
    const end = (i) => (i === 0 ? "x ddpm-first" : i === xs.length - 1 ? "x ddpm-last" : "x");
    letters.replaceChildren(...xs.map((x, i) => letter(end(i), "left", x)), ...ys.map((y) => letter("y", "top", y)));
    grid.setAttribute("d", ys.map(([y]) => `M0 ${y.toFixed(4)}H1`).join(""));
  };
  const say = (words) => picture.setAttribute("aria-label", `${label}: ${words}`);
  return { node, frame, line, ticks, say };
}

const known = (points) => points.filter((point) => point.every(Number.isFinite));
const at = ([x, y]) => `${x.toFixed(4)} ${y.toFixed(4)}`;
// The d of a path through points [[x, y]], and of a dot at each; points that are no number are left out.
const through = (points) => (known(points).length ? `M${known(points).map(at).join("L")}` : "");
const dots = (points) => known(points).map((point) => `M${at(point)}h0`).join("");

// A sample of a curve, for a legend.
const swatch = (name, d = "M0 4H28") =>
  h("svg", { class: "ddpm-key", viewBox: "0 0 28 8", "aria-hidden": "true" }, h("path", { class: name, d }));

// Three digits, and 10 to the n where zeros would pile up.
function brief(value, digits = 3) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
  const [factor, n] = value.toExponential(digits - 1).split("e").map(Number);
  if (n >= -4 && n < 5) return `${Number(value.toPrecision(digits))}`.replace("-", "\u2212");
  const raised = Array.from(`${n}`, (c) => (c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[c])).join("");
  return `${factor === 1 ? "" : `${factor}\u00b7`.replace("-", "\u2212")}10${raised}`;
}

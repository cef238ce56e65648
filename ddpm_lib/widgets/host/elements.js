// Shared by the widgets: elements without innerHTML (some hosts forbid it), mathematics in plain HTML, pictures.
// Each call makes new elements.

// What has the keyboard's focus keeps its keys: JupyterLab would take arrows and Enter as shortcuts of its own. It asks
// each element from the focus outwards, so the attribute must stand on the very element.
const TAKES_KEYS = ["button", "input", "summary"];

// h("div", { class: "a", onclick: f }, child, "text") -> element
function h(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  if (TAKES_KEYS.includes(tag) || "tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

const it = (text) => h("i", {}, text);

// symbol("x", "t"): an italic letter with an italic index; "over" or "hat" stands above it.
const symbol = (letter, index, above) =>
  h("span", { class: "ddpm-symbol" }, h("i", above ? { class: `ddpm-${above}` } : {}, letter), h("sub", {}, it(index)));

const alphaBarOf = (index) => symbol("\u03b1", index, "over");

// A square root over what is inside.
function root(...inside) {
  const sign = h("svg", { viewBox: "0 0 10 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  sign.append(h("path", { d: "M0.5 12.5L2.8 11L5.6 19.5L10 0.3", "vector-effect": "non-scaling-stroke" }));
  return h("span", { class: "ddpm-root" }, sign, h("span", {}, ...inside));
}

// The weights of signal and noise, each in its color.
const signalRoot = () => h("span", { class: "ddpm-signal" }, root(alphaBarOf("t")));
const noiseRoot = () => h("span", { class: "ddpm-noise" }, root("1 \u2212 ", alphaBarOf("t")));

// Paints x (channels x height x width) on a canvas; -1 is black, 1 is white, what lies beyond is clipped.
function paint(canvas, x, channels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const size = canvas.width * canvas.height;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = (x[(k % channels) * size + i] + 1) * 127.5;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

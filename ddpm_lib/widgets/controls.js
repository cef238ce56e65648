// Shared by the widgets: mathematics in plain HTML, choices, a play button, words for a screen reader.
// Each call makes new elements.

const it = (text) => h("i", {}, text);

// symbol("x", "t"): an italic letter with an italic index
const symbol = (letter, index) => h("span", { class: "ddpm-symbol" }, it(letter), h("sub", {}, it(index)));

const alphaBarT = () =>
  h("span", { class: "ddpm-symbol" }, h("i", { class: "ddpm-over" }, "\u03b1"), h("sub", {}, it("t")));

// A square root over what is inside.
function root(...inside) {
  const sign = h("svg", { viewBox: "0 0 10 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  sign.append(h("path", { d: "M0.5 12.5L2.8 11L5.6 19.5L10 0.3", "vector-effect": "non-scaling-stroke" }));
  return h("span", { class: "ddpm-root" }, sign, h("span", {}, ...inside));
}

// A number for people: a true minus sign, and none before zero.
const shown = (value, digits) => value.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "\u2212");

// One of several, options = [{ name, face, pick }]: native radio buttons, so that the arrow keys work. The
// group's name is shared with no other. Hidden where there is nothing to choose.
function choice(label, labelShown, options) {
  const group = `ddpm-${Math.random().toString(36).slice(2)}`;
  const inputs = options.map(({ name, pick }) =>
    h("input", { type: "radio", name: group, "aria-label": name, onchange: pick }));
  const face = (i) => h("label", { class: "ddpm-option", title: options[i].name }, inputs[i], options[i].face);
  const node = h(
    "div", { class: "ddpm-choice", role: "radiogroup", "aria-label": label },
    ...(labelShown ? [h("span", { class: "ddpm-label", "aria-hidden": "true" }, label)] : []),
    h("span", { class: "ddpm-options" }, ...options.map((_, i) => face(i))),
  );
  node.hidden = options.length < 2;
  return { node, inputs };
}

// The face of a choice that is a word.
const segment = (text) => h("span", { class: "ddpm-segment" }, text);

// Play: one walk from at() (a share from 0 to 1) to 1 through go(share), about `seconds` for the whole, in at
// most steps() steps. Who asked for less motion gets ten of them.
function playButton({ at, go, steps, seconds = 6 }) {
  const icon = h("path", {});
  const word = h("span");
  const node = h(
    "button", { type: "button", class: "ddpm-button ddpm-play", onclick: () => (playing ? stop() : start()) },
    h("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, icon), word,
  );
  let playing = null;
  const show = () => {
    word.textContent = playing ? "Pause" : "Play";
    icon.setAttribute("d", playing ? "M1 0h3v10H1zM6 0h3v10H6z" : "M1 0l9 5-9 5z");
  };
  const start = () => {
    const n = matchMedia("(prefers-reduced-motion: reduce)").matches ? 10 : steps();
    const from = at() < 1 ? at() : 0;
    let begun = null;
    let last = null;
    const tick = (now) => {
      begun ??= now;
      const share = Math.min(1, from + Math.floor(((now - begun) / (1000 * seconds)) * n) / n);
      if (!node.isConnected) return stop();
      if (share !== last) go((last = share));
      if (share >= 1) return stop();
      playing = requestAnimationFrame(tick);
    };
    playing = requestAnimationFrame(tick);
    show();
  };
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = null;
    show();
  };
  show();
  return { node, stop };
}

// Says what is seen to a screen reader, once things are still and not at every step.
function announcer() {
  const node = h("div", { class: "ddpm-unseen", "aria-live": "polite" });
  let timer = null;
  const say = (words) => {
    clearTimeout(timer);
    if (node.isConnected) timer = setTimeout(() => (node.textContent = words), 700);
  };
  return { node, say };
}

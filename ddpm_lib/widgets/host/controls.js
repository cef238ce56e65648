// Shared by the widgets: their traits, choices, sliders, a play button, words for a screen reader.

// put({ t: 3 }) sets traits of the model and tells Python.
const writer = (model) => (values) => {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
};

const traits = (model, ...names) => Object.fromEntries(names.map((name) => [name, model.get(name)]));

// Draws now, and whenever one of these traits changes, here or in Python.
function follow(model, names, draw) {
  draw();
  for (const name of names) model.on(`change:${name}`, draw);
}

const button = (words, onclick, more = "") => h("button", { type: "button", class: `ddpm-button ${more}`, onclick }, words);

const newNoise = (model, put) => button("New noise", () => put({ seed: (model.get("seed") + 1) % 2 ** 31 }));

// A slider of time, and the time that it stands at. show(t, T, place): its place where that is not t itself.
function timeline({ label = "time step t", seek, ...more }) {
  const slider = h("input", {
    type: "range", min: 0, step: 1, "aria-label": label, ...more, oninput: () => seek(slider.valueAsNumber),
  });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const show = (t, T, place = t, words = `t = ${t} of ${T}`) => {
    slider.value = place;
    slider.setAttribute("aria-valuetext", words);
    clock.replaceChildren(it("t"), ` = ${t}`, h("span", {}, ` / ${T}`));
  };
  return { slider, clock, show };
}

// A slider with its name before it and its value after it. It runs over `range`, [least, most, step], or over the places
// of `stops`, values in order; a value of Python's between two stops stands at the nearer, measured by `scale`.
// show(value, words, ...face): `words` are said, `face` is seen.
function dial({ label, face, range, stops, scale = (x) => x, pick }) {
  const [min, max, step] = range ?? [0, stops.length - 1, 1];
  const output = h("output", { "aria-hidden": "true" });
  const chosen = (place) => (stops ? stops[place] : Number(place.toFixed(2)));
  const input = h("input", {
    type: "range", min, max, step, "aria-label": label, oninput: () => pick(chosen(input.valueAsNumber)),
  });
  const show = (value, words, ...text) => {
    input.value = stops ? nearest(stops.map(scale), scale(value)) : value;
    input.setAttribute("aria-valuetext", words);
    output.replaceChildren(...text);
  };
  const node = h("label", { class: "ddpm-dial" }, h("span", {}, ...face), h("span", {}, input), output);
  return { node, input, show };
}

// The face of a choice that is a word.
const segment = (...face) => h("span", { class: "ddpm-segment" }, ...face);

// One of several, options = [{ name, pick, face }]: native radio buttons, so that the arrow keys work. The group's name
// is shared with no other. Hidden where there is nothing to choose.
function choice(label, labelShown, options) {
  const group = `ddpm-${Math.random().toString(36).slice(2)}`;
  const inputs = options.map(({ name, pick }) =>
    h("input", { type: "radio", name: group, "aria-label": name, onchange: pick }));
  const faces = options.map(({ name, face = segment(name) }, i) =>
    h("label", { class: "ddpm-option", title: name }, inputs[i], face));
  const node = h(
    "div", { class: "ddpm-choice", role: "radiogroup", "aria-label": label },
    ...(labelShown ? [h("span", { class: "ddpm-label", "aria-hidden": "true" }, label)] : []),
    h("span", { class: "ddpm-options" }, ...faces),
  );
  node.hidden = options.length < 2;
  return { node, inputs };
}

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

// A live view hides the HTML that its display saves beside it, for as long as it is in the page.
const live = (render) => ({ model, el }) => {
  el.append(h("style", {}, `[data-ddpm-saved="${model.get("_saved")}"] { display: none; }`));
  return render({ model, el });
};

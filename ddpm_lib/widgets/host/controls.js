// Shared by the widgets: their traits, buttons, choices, the slider of time, words for a screen reader.

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

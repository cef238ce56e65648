// The generator's controls: which digit, on the first screen, and what stands in the fold. Each sets a trait.
function settings({ model, put, T }) {
  const labels = model.get("labels");
  const digits = [...labels.keys(), "each", "none"];
  const face = (digit) => (digit === "each" ? "each in turn" : digit === "none" ? "none" : labels[digit]);
  const digit = choice("Digit", true, digits.map((value) => ({
    name: face(value), face: segment(face(value)), pick: () => put({ digit: value }),
  })));
  digit.node.hidden = !labels.length;
  const sampler = choice("Sampler", true, ["ddim", "ddpm"].map((name) => ({
    name: name.toUpperCase(), face: segment(name.toUpperCase()), pick: () => put({ sampler: name }),
  })));
  const stops = [10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500].filter((steps) => steps <= T);
  const fixed = (digits) => (value) => value.toFixed(digits);
  const dials = {
    steps: dial("number of steps", ["steps"], stops.length ? stops : [T], { text: String, pick: (steps) => put({ steps }) }),
    eta: dial("eta, the share of fresh noise", [it("\u03b7"), " fresh noise"], upTo(0, 20, 1).map((v) => v / 20), { text: fixed(2), pick: (eta) => put({ eta }) }),
    w: dial("guidance w", [it("w"), " guidance"], upTo(0, 30, 1).map((v) => v / 10), { text: fixed(1), pick: (w) => put({ w }) }),
    n: dial("number of images", ["images"], upTo(1, 16, 1), { text: String, pick: (n) => put({ n }) }),
  };
  dials.w.node.hidden = !labels.length;
  const number = h("input", {
    type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "seed",
    onchange: () => (number.value !== "" && number.validity.valid ? put({ seed: number.valueAsNumber }) : show()),
  });
  const dots = h("path", { d: "M1 1h12v12h-12zM4 4h.01M10 4h.01M7 7h.01M4 10h.01M10 10h.01" });
  const dice = h(
    "button", { type: "button", class: "ddpm-button ddpm-dice", onclick: () => put({ seed: Math.floor(Math.random() * 10000) }) },
    h("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, dots), "New seed",
  );
  const seed = h("div", { class: "ddpm-dial" }, h("span", { "aria-hidden": "true" }, "seed"), number, h("output"));
  const fold = h(
    "details", { class: "ddpm-fold", ontoggle: () => put({ more: fold.open }) }, h("summary", {}, "More: sampler, steps, guidance, number of images, seed"),
    h("div", { class: "ddpm-dials" }, sampler.node, dials.steps.node, dials.eta.node, dials.w.node, dials.n.node, seed),
  );
  const show = () => {
    fold.open = model.get("more");
    const ddim = model.get("sampler") === "ddim";
    for (const name of ["steps", "w", "n"]) dials[name].show(model.get(name));
    dials.w.show(model.get("w"), model.get("digit") === "none");
    dials.eta.show(ddim ? model.get("eta") : 1, !ddim); // DDPM is eta = 1
    digit.inputs[digits.indexOf(model.get("digit"))].checked = true;
    sampler.inputs[ddim ? 0 : 1].checked = true;
    number.value = model.get("seed");
  };
  return { digit: digit.node, fold, dice, show, labels };
}

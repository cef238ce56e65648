// The generator's controls: which digit, on the first screen, and what stands in the fold. Each sets a trait.
function settings({ model, put, say, T }) {
  const labels = model.get("labels");
  const digits = [...labels.keys(), "each", "none"];
  const face = (digit) => (digit === "each" ? "each in turn" : digit === "none" ? "none" : labels[digit]);
  const digit = choice("Digit", true, digits.map((value) => ({ name: face(value), pick: () => put({ digit: value }) })));
  digit.node.hidden = !labels.length;
  const networks = model.send ? [] : model.get("networks");
  const network = choice("Network", true, networks.map(({ name, ...its }) => ({ name, pick: () => put(its) })));
  const samplers = ["ddim", "ddpm"];
  const sampler = choice("Sampler", true, samplers.map((name) => ({ name: name.toUpperCase(), pick: () => put({ sampler: name }) })));
  const stops = [1, 2, 4, 8, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500].filter((steps) => steps <= T);
  const dials = {
    steps: dial({ label: "number of steps", face: ["steps"], stops: stops.length ? stops : [T], pick: (steps) => put({ steps }) }),
    eta: dial({ label: "eta, the share of fresh noise", face: [it("\u03b7"), " fresh noise"], range: [0, 1, 0.05], pick: (eta) => put({ eta }) }),
    w: dial({ label: "guidance w", face: [it("w"), " guidance"], range: [0, 3, 0.1], pick: (w) => put({ w }) }),
    n: dial({ label: "number of images", face: ["images"], range: [1, 16, 1], pick: (n) => put({ n }) }),
  };
  dials.w.node.hidden = !labels.length;
  const seeds = seedControls({ model, put });
  const seed = h("div", { class: "ddpm-dial" }, h("span", { "aria-hidden": "true" }, "seed"), seeds.number, h("output"));
  const python = inPython({ model, say });
  const fold = h(
    "details", { class: "ddpm-fold", ontoggle: () => put({ more: fold.open }) }, h("summary", {}, "More: network, sampler, steps, guidance, number of images, seed"),
    h("div", { class: "ddpm-dials" }, network.node, sampler.node, dials.steps.node, dials.eta.node, dials.w.node, dials.n.node, seed),
    python.node,
  );
  const show = () => {
    fold.open = model.get("more");
    const { sampler: named, steps, n, w, eta } = traits(model, "sampler", "steps", "n", "w", "eta");
    const ddim = named === "ddim";
    const count = (k, what) => `${k} ${what}${k === 1 ? "" : "s"}`;
    dials.steps.show(steps, count(steps, "step"), `${steps}`);
    dials.n.show(n, count(n, "image"), `${n}`);
    dials.w.show(w, `w = ${w.toFixed(1)}`, w.toFixed(1));
    dials.w.input.disabled = model.get("digit") === "none";
    const share = ddim ? eta : 1; // DDPM is eta = 1
    dials.eta.show(share, `eta = ${share.toFixed(2)}`, share.toFixed(2));
    dials.eta.input.disabled = !ddim;
    const its = networks.findIndex(({ url }) => url === model.get("url"));
    if (its >= 0) network.inputs[its].checked = true;
    digit.inputs[digits.indexOf(model.get("digit"))].checked = true;
    sampler.inputs[samplers.indexOf(named)].checked = true;
    seeds.show();
    python.show();
  };
  return { digit: digit.node, fold, dice: seeds.dice, show, labels };
}

// The settings of a network in a file, as the widget names them; none where it is no such file, which `begin` says.
function settingsOf(text) {
  try {
    const { config, schedule } = JSON.parse(text), { width, predicts } = config;
    const known = ["linear", "cosine"].includes(schedule.name) ? { schedule: schedule.name } : {};
    return { width, predicts, T: atob(schedule.beta).length / 8 - 1, ...known }; // beta_0 is in it
  } catch {
    return {};
  }
}

// What is learned and how: each control sets a trait.
function recipe({ model, put, names }) {
  const pick = (label, trait, options, shown = true) => {
    const made = choice(label, shown, options.map(([value, name, face]) => ({ name, face: segment(...(face ?? [name])), pick: () => put({ [trait]: value }) })));
    return { node: made.node, show: () => made.inputs.forEach((input, i) => (input.checked = options[i][0] === model.get(trait))) };
  };
  const data = pick("Data", "data", [...names.map((name) => [name, name]), ["drawing", "your drawing"]]);
  const predicts = pick("Predicts", "predicts", [["eps", "eps, the noise", [it("\u03b5")]], ["x0", "x0, the point", [symbol("x", "0")]], ["v", "v, a mixture of both", [it("v")]]]);
  const schedule = pick("Schedule", "schedule", [["linear", "linear"], ["cosine", "cosine"], ["short", "linear, too short"]]);
  const arrows = pick("Arrows", "arrows", [["move", "x0 hat minus x t", [symbol("x", "0", "hat"), " \u2212 ", symbol("x", "t")]], ["score", "score"], ["none", "none"]]);
  const sampler = pick("Walk", "sampler", [["ddpm", "DDPM"], ["ddim", "DDIM"], ["heun", "ODE, Heun's steps", ["ODE"]]]);
  const log = { scale: Math.log };
  const dials = {
    width: dial({ label: "width of the network", face: ["width"], stops: [8, 16, 32, 64], ...log, pick: (width) => put({ width }) }),
    lr: dial({ label: "learning rate", face: ["rate"], stops: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2], ...log, pick: (lr) => put({ lr }) }),
    T: dial({ label: "number of noising steps T", face: [it("T")], stops: [25, 50, 100, 200, 500], ...log, pick: (T) => put({ T, t: Math.max(1, Math.round((model.get("t") * T) / model.get("T"))) }) }),
    steps: dial({ label: "steps of a walk", face: ["steps"], stops: [1, 2, 3, 5, 10, 20, 50, 100, 200, 500], ...log, pick: (steps) => put({ steps }) }),
  };
  const show = () => {
    const { width, lr, T, steps } = traits(model, "width", "lr", "T", "steps"), taken = Math.min(steps, T);
    for (const control of [data, predicts, schedule, arrows, sampler]) control.show();
    dials.width.show(width, `${width} features`, `${width}`);
    dials.lr.show(lr, `a rate of ${lr}`, brief(lr, 1));
    dials.T.show(T, `T = ${T}`, `${T}`);
    dials.steps.show(taken, `${taken} step${taken === 1 ? "" : "s"}`, `${taken}`);
  };
  return { data: data.node, predicts: predicts.node, schedule: schedule.node, arrows: arrows.node, sampler: sampler.node, dials, show };
}

// Press Train and watch a network learn points in the plane, here in the page. State: play.py.
function render({ model, el }) {
  const put = writer(model);
  const live = announcer();
  const clouds = Object.fromEntries(Object.entries(model.get("points")).map(([name, text]) =>
    [name, Float32Array.from(new Int16Array(bytes(text).buffer), (x) => x / 4096)]));
  const own = () => model.get("data") === "drawing";
  const board = drawing({ say: live.say, changed: () => own() && run.begin() });

  const [learned, exact] = [plane("ddpm-signal"), plane("ddpm-noise")];
  const [made, known] = [h("span", { class: "ddpm-word" }), h("span", { class: "ddpm-word" })];
  const ends = [endLine(), endLine()];
  const panel = (name, word, ...nodes) => h("div", { class: "ddpm-panel" }, h("div", { class: "ddpm-name" }, name, word), ...nodes);
  const panels = h("div", { class: "ddpm-planes" }, panel("learned", made, learned.node, ends[0].node), panel("exact", known, exact.node, ends[1].node), board.node);
  const curve = lossCurve();
  const controls = recipe({ model, put, names: Object.keys(clouds) });

  // The slider moves the arrows' time; where there is a walk, it goes through its states.
  const frame = () => nearest(run.walk.ts, model.get("t"));
  const time = timeline({ label: "time t of the arrows and of the walk", seek: (t) => { player.stop(); put({ t }); } });
  const player = playButton({
    at: () => (run.walk ? frame() / (run.walk.ts.length - 1) : 1),
    go: (share) => run.walk && put({ t: run.walk.ts[Math.round(share * (run.walk.ts.length - 1))] }),
    steps: () => (run.walk ? run.walk.ts.length - 1 : 1),
  });
  const main = button("Train", () => (run.state === "training" ? run.pause() : run.train()), "ddpm-main");
  const once = button("One step", () => run.once());
  const reset = button("Reset", () => run.begin());
  const go = button("Walk", () => run.goWalk());
  const file = h("input", { type: "file", accept: ".json,application/json", hidden: "", "aria-label": "a file of weights", onchange: async () => {
    const text = await file.files[0]?.text();
    file.value = "";
    if (!text) return;
    const settings = settingsOf(text); // the controls say what the file holds
    put({ ...settings, t: Math.min(model.get("t"), settings.T ?? model.get("T")) });
    run.begin(text);
  } });
  const open = button("Open weights", () => file.click());
  const save = button("Save weights", () => {
    const href = URL.createObjectURL(new Blob([model.get("learned")], { type: "application/json" }));
    h("a", { href, download: "learned.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  });
  const status = h("div", { class: "ddpm-status" });
  const row = (...nodes) => h("div", { class: "ddpm-controls" }, ...nodes);
  const widget = h(
    "div", { class: "ddpm-widget ddpm-learn", role: "group", "aria-label": "Train a network here" },
    controls.data, panels, h("div", { class: "ddpm-press" }, main, once, reset, status),
    h("div", { class: "ddpm-time" }, h("div", { class: "ddpm-track" }, time.slider), time.clock),
    row(controls.sampler, controls.dials.steps.node, h("span", { class: "ddpm-options" }, go, player.node)),
    curve.node, row(controls.predicts, controls.arrows), controls.schedule,
    h("div", { class: "ddpm-dials" }, controls.dials.width.node, controls.dials.lr.node, controls.dials.T.node, h("span", { class: "ddpm-options" }, save, open, file)),
    live.node,
  );

  // An arrow at each place of the grid, from x0_hat there.
  const grid = lattice();
  const arrowsOf = (clean) => {
    const kind = model.get("arrows"), ab = run.seen?.alphaBar;
    if (!clean || kind === "none") return null;
    if (kind === "move") return clean.map((x0, i) => 0.5 * (x0 - grid[i]));
    return clean.map((x0, i) => (0.25 * (Math.sqrt(ab) * x0 - grid[i])) / (1 - ab));
  };
  const draw = () => {
    const t = model.get("t"), T = model.get("T"), { walk, seen } = run, at = walk ? frame() : 0;
    const words = { move: "x0 hat minus x t", score: "the score", none: "no arrows" }[model.get("arrows")];
    const from = walk ? Math.max(0, at - 12) : 0;
    const state = (frames) => ({ points: frames[at], trails: frames.slice(from, at + 1) });
    const name = { ddpm: "DDPM", ddim: "DDIM", heun: "the ODE" }[model.get("sampler")];
    made.textContent = walk ? `${name}, t = ${walk.ts[at]}` : `after ${run.steps} steps`;
    known.textContent = walk ? "the same noise" : "the data";
    const where = `arrows at t = ${t} of ${T}: ${words}`;
    learned.show(walk ? { ...state(walk.frames), arrows: arrowsOf(seen?.field), data: run.points } : { points: run.steps ? seen?.drawn : null, arrows: arrowsOf(seen?.field), data: run.points },
      `what the network learned from ${model.get("data")}, ${run.steps} steps; ${walk ? `a walk at t = ${walk.ts[at]}` : "samples"}; ${where}`);
    exact.show(walk ? { ...state(walk.exact), arrows: arrowsOf(run.exact) } : { points: run.points, arrows: arrowsOf(run.exact) },
      `the exact answer for the same points; ${walk ? `a walk at t = ${walk.ts[at]}` : "the data"}; ${where}`);
    ["frames", "exact"].forEach((who, i) => ends[i].show(walk?.[who][at], run.points));
    time.slider.max = T;
    time.show(t, T);
    status.textContent = run.status;
    main.textContent = run.state === "training" ? "Pause" : "Train";
    main.disabled = once.disabled = go.disabled = !run.points?.length;
    player.node.disabled = !walk;
    save.disabled = !model.get("learned");
    board.node.hidden = !own();
    Object.assign(widget.dataset, { state: run.state, steps: run.steps, t, speed: Math.round(run.speed), view: walk ? "walk" : "samples", loss: curve.last(), least: run.least });
  };
  const changed = (why) => {
    if (why === "begin") curve.clear();
    curve.add(run.losses);
    run.losses = [];
    curve.show(run.least, run.steps);
    if (why === "begin" || !run.walk) player.stop();
    if (why === "walk") {
      put({ t: run.walk.ts[0] });
      if (!run.calm()) player.node.click();
    }
    draw();
  };
  const run = session({ model, root: widget, say: live.say, changed, pointsOf: () => (own() ? board.points() : clouds[model.get("data")]) });
  el.append(widget);
  queueMicrotask(() => run.begin(model.get("learned"))); // once the widget is in the page
  follow(model, ["data", "schedule", "T", "predicts", "width", "lr", "sampler", "steps", "arrows", "t"], () => {
    controls.show();
    draw();
  });
  return () => [run, learned, exact].forEach((part) => part.close());
}

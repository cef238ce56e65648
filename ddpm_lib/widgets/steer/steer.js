// Digits that follow a wish which no label expresses, beside those that do not. State: steer.py.
const ACROSS = 10; // pictures in a row

function render({ model, el }) {
  const [, height, width] = model.get("shape");
  const put = writer(model), live = announcer(), size = width * height, labels = model.get("labels");
  const T = floats(model.get("alpha_bar")).length - 1;
  const ink = () => model.get("wish") === "ink";
  const board = pad({ width, height, name: "pad for the wish", say: live.say, changed: () => reset() });
  const drawn = h("div", { class: "ddpm-panel" }, board.node);
  const wishes = [["slant", "a slant"], ["ink", "ink where I draw"]];
  const wish = choice("Wish for", true, wishes.map(([name, words]) => ({ name: words, pick: () => put({ wish: name, scale: name === "ink" ? 40 : 20 }) })));
  const tools = [["pen", "ink here"], ["hole", "no ink here"], ["eraser", "eraser"]];
  const tool = choice("Tool", true, tools.map(([name, words]) => ({ name: words, pick: () => board.use(name) })));
  const clear = button("Clear", () => {
    board.clear();
    reset();
    live.say("cleared");
  }, "ddpm-small");
  const digits = ["each", ...labels.keys()];
  const digit = choice("Digit", true, digits.map((value) => ({ name: value === "each" ? "each in turn" : labels[value], pick: () => put({ digit: value }) })));
  const strengths = [0, 5, 10, 20, 40, 60, 100, 200];
  const dials = {
    slant: dial({ label: "wished slant", face: ["slant"], range: [-1, 1, 0.1], pick: (slant) => put({ slant }) }),
    scale: dial({ label: "strength of the wish", face: [it("\u03b3"), " strength"], stops: strengths, pick: (scale) => put({ scale }) }),
    steps: dial({ label: "number of steps", face: ["steps"], stops: [10, 20, 25, 50, 100, 200, 250, 500].filter((n) => n <= T), pick: (steps) => put({ steps }) }),
  };
  const seeds = seedControls({ model, put });
  const main = button("Generate", () => (run.busy() ? reset("Stopped.") : run.generate(walks())), "ddpm-main");
  const status = h("div", { class: "ddpm-status" });
  const rows = gallery(width, height, ACROSS);
  const key = (words) => h("div", { class: "ddpm-word" }, words);
  const widget = h("div", { class: "ddpm-widget ddpm-generate ddpm-steer", role: "group", "aria-label": "Draw digits that follow a wish" },
    wish.node, h("div", { class: "ddpm-wish" }, drawn, h("div", { class: "ddpm-settings" }, h("div", { class: "ddpm-tools" }, tool.node, clear), dials.slant.node, dials.scale.node, dials.steps.node)),
    digit.node, h("div", { class: "ddpm-press" }, main, seeds.dice), status,
    h("div", { class: "ddpm-rows" }, key("without the wish"), rows.node, key("with the wish, from the same noise")), live.node);

  // What was computed: both rows. What is wished for: where it matters, and whether it is ink.
  let both = [null, null];
  const cares = () => board.x0().map((v, i) => (v > 0 || board.hole()[i] ? 1 : 0));
  const target = () => board.x0().map((v, i) => (board.hole()[i] ? -1 : 1));
  const steer = () => ({ scale: model.get("scale"), ...(ink() ? { loss: "ink", target: target(), cares: cares() } : { loss: "slant", wish: model.get("slant") }) });
  const empty = () => ink() && !cares().includes(1);
  const ask = (fewer) => {
    const seed = model.get("seed"), asked = model.get("digit"), at = upTo(0, ACROSS - 1);
    const label = (i) => (asked === "each" ? (labels.length ? (seed + i) % labels.length : -1) : asked);
    const x = Float32Array.from(at.flatMap((i) => Array.from(noise(seed + i, size))));
    return { n: ACROSS, x, labels: at.map(label), sampler: "ddim", eta: 0, w: 0, seed, steps: Math.min(model.get("steps"), fewer) };
  };
  const mean = (row, of) => upTo(0, ACROSS - 1).reduce((sum, i) => sum + of(row.subarray(i * size, (i + 1) * size)), 0) / ACROSS;
  const inked = (x) => cares().reduce((sum, c, i) => sum + c * (target()[i] > 0) * Math.max(0, Math.min(1, (x[i] + 1) / 2)), 0) / Math.max(1, target().filter((v, i) => v > 0 && cares()[i]).length);
  const walks = () => [
    { words: "Without the wish", ask, hear: ({ xt }) => (both[0] = xt) },
    {
      words: "With the wish", ask: (fewer) => ({ ...ask(fewer), steer: steer() }), hear: ({ xt }) => (both[1] = xt),
      end: () => (ink()
        ? `Where you wished for ink there is ${both.map((row) => `${Math.round(100 * mean(row, inked))} %`).join(" of it without the wish, and with it ")}.`
        : `The mean slant is ${both.map((row) => shown(mean(row, (x) => slanted(x, width, 0).slant), 2)).join(" without the wish, and with it ")}.`),
    },
  ];
  const ready = () => (empty() ? "There is no wish yet: draw where there shall be ink." : "Press Generate: the same noise is walked down twice, without the wish and with it.");
  const reset = (words = ready()) => {
    both = [null, null];
    run.reset(words);
    main.disabled = empty();
  };

  let [late, drawnAt] = [null, 0];
  const leaning = (slant) => (slant < 0 ? "to the right" : slant > 0 ? "to the left" : "upright");
  const draw = () => {
    clearTimeout(late);
    [late, drawnAt] = [null, performance.now()];
    const whole = new Uint8ClampedArray(2 * ACROSS * size);
    both.forEach((row, k) => row && whole.set(levelsOf(row), k * ACROSS * size));
    const words = ink() ? "ink where it was drawn" : `a slant of ${shown(model.get("slant"), 1)}`;
    rows.show(whole, 2 * ACROSS, `two rows of ${ACROSS} digits${both[1] ? "" : ", not drawn yet"}: above without the wish, below with the wish for ${words}, strength ${model.get("scale")}, ${model.get("steps")} steps`, (k) => !both[Math.floor(k / ACROSS)]);
    main.textContent = run.busy() ? "Cancel" : "Generate";
    status.textContent = run.status;
    widget.dataset.state = run.state;
    if (run.ms !== null) widget.dataset.ms = run.ms;
  };
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const drawSoon = () => (late ??= setTimeout(draw, Math.max(0, drawnAt + (calm() ? 400 : 33) - performance.now())));
  const run = session({ model, root: widget, say: live.say, changed: (why) => (why === "state" ? drawSoon() : draw()) });
  board.example(1); // a stroke to begin with
  board.show(true);
  tool.inputs[0].checked = true;
  follow(model, ["wish", "slant", "scale", "steps", "seed", "digit"], () => {
    const { slant, scale, steps } = traits(model, "slant", "scale", "steps");
    wish.inputs[wishes.findIndex(([name]) => name === model.get("wish"))].checked = true;
    digit.inputs[digits.indexOf(model.get("digit"))].checked = true;
    drawn.hidden = tool.node.hidden = clear.hidden = !ink();
    dials.slant.node.hidden = ink();
    dials.slant.show(slant, `${shown(slant, 1)}, ${leaning(slant)}`, `${shown(slant, 1)} ${slant < 0 ? "right" : slant > 0 ? "left" : "upright"}`);
    dials.scale.show(scale, `strength ${scale}`, `${scale}`);
    dials.steps.show(steps, `${steps} steps`, `${steps}`);
    reset();
  });
  model.on("change:url", () => run.close());
  el.append(widget);
  return run.close;
}

// Two drawings, walked up to their noise, and what lies between them. State: edit.py.
const ACROSS = 8; // pictures in a row

function render({ model, el }) {
  const [, height, width] = model.get("shape");
  const put = writer(model), live = announcer(), size = width * height;
  const T = floats(model.get("alpha_bar")).length - 1;
  const panel = (name, word, node) => h("div", { class: "ddpm-panel" }, h("div", { class: "ddpm-name" }, name, h("span", { class: "ddpm-word" }, word)), node);
  const small = (words, name, onclick) => {
    const node = button(words, onclick, "ddpm-small");
    node.setAttribute("aria-label", name);
    return node;
  };
  const tools = ["pen", "eraser"];
  const tool = choice("Tool", true, tools.map((name) => ({ name, pick: () => sides.forEach(({ board }) => board.use(name)) })));
  const side = (which, first) => {
    const board = pad({ width, height, name: `${which} drawing`, say: live.say, changed: () => reset() });
    board.example(first);
    const clear = small("Clear", `Clear the ${which} drawing`, () => {
      board.clear();
      reset();
      live.say("cleared");
    });
    const examples = h("div", { class: "ddpm-choice", role: "group", "aria-label": `Examples for the ${which} drawing` },
      ...STROKES.map((_, digit) => small(String(digit), `${which}: example ${digit}`, () => {
        board.example(digit);
        reset();
      })), clear);
    const noisy = gallery(width, height);
    return { which, board, noisy, node: h("div", { class: "ddpm-side" },
      h("div", { class: "ddpm-panels" }, panel(symbol("x", "0"), `${which} drawing`, board.node), panel(symbol("x", "T"), "its noise", noisy.node)), examples) };
  };
  const sides = [side("first", model.get("first")), side("second", model.get("second"))];
  const rows = gallery(width, height, ACROSS);
  const steps = dial({ label: "number of steps of each walk", face: ["steps"], stops: [10, 20, 25, 50, 100, 200, 250, 500].filter((n) => n <= T), pick: (value) => put({ steps: value }) });
  const main = button("Generate", () => (run.busy() ? reset("Stopped.") : run.generate(walks())), "ddpm-main");
  const status = h("div", { class: "ddpm-status" });
  const key = (words) => h("div", { class: "ddpm-word" }, words);
  const widget = h("div", { class: "ddpm-widget ddpm-generate ddpm-edit", role: "group", "aria-label": "Move between two drawings" },
    h("div", { class: "ddpm-sides" }, ...sides.map(({ node }) => node)), h("div", { class: "ddpm-controls" }, tool.node, steps.node),
    h("div", { class: "ddpm-press" }, main), status,
    h("div", { class: "ddpm-rows" }, key("through noise"), rows.node, key("through pixels")), live.node);

  // What was computed: the noise of both drawings, and the row that comes out of the arc between them.
  let [noises, row] = [null, null];
  const x0s = () => sides.map(({ board }) => board.x0());
  const asked = (more, fewer) => ({ labels: Array(more.n).fill(-1), sampler: "ddim", eta: 0, w: 0, seed: 0, ...more, steps: Math.min(model.get("steps"), fewer) });
  const walks = () => {
    const [a, b] = x0s(), part = (x, i) => x.slice(i * size, (i + 1) * size);
    const up = { words: "Up to the noise", ask: (fewer) => asked({ n: 2, x: Float32Array.from([...a, ...b]), up: true }, fewer), hear: ({ xt }) => (noises = xt) };
    const down = {
      words: "Down from the arc", ask: (fewer) => asked({ n: ACROSS, x: between(part(noises, 0), part(noises, 1), ACROSS, arc) }, fewer),
      hear: ({ xt }) => (row = xt),
      end: () => {
        const off = [[a, 0], [b, ACROSS - 1]].flatMap(([x, i]) => Array.from(x, (v, k) => (v - row[i * size + k]) ** 2));
        return `Both ends of the upper row are your drawings again, to ${Math.sqrt(off.reduce((sum, v) => sum + v, 0) / off.length).toFixed(2)} a pixel (root mean square; black is -1, white 1).`;
      },
    };
    return [up, down];
  };
  const ready = () => `Press Generate: ${model.get("steps")} steps up for each drawing, and as many down for each of ${ACROSS} pictures.`;
  const reset = (words = ready()) => {
    [noises, row] = [null, null];
    run.reset(words);
  };

  let [late, drawnAt] = [null, 0];
  const draw = () => {
    clearTimeout(late);
    [late, drawnAt] = [null, performance.now()];
    const [a, b] = x0s(), empty = new Float32Array(ACROSS * size).fill(-1);
    const levels = noises && levelsOf(noises.map((v) => v / 2)); // at half its contrast
    sides.forEach(({ which, noisy }, i) => noisy.show(levels && levels.subarray(i * size, (i + 1) * size), 1, `the noise of the ${which} drawing${noises ? "" : ", not found yet"}`));
    const whole = new Uint8ClampedArray(2 * ACROSS * size);
    whole.set(levelsOf(row ?? empty));
    whole.set(levelsOf(between(a, b, ACROSS, (p, q, share) => blend(p, q, 1 - share, share))), ACROSS * size);
    rows.show(whole, 2 * ACROSS, `from the first drawing to the second in ${ACROSS} pictures: above through noise${row ? "" : ", not drawn yet"}, below through pixels, in ${model.get("steps")} steps`, (k) => !row && k < ACROSS);
    main.textContent = run.busy() ? "Cancel" : "Generate";
    status.textContent = run.status;
    Object.assign(widget.dataset, { state: run.state });
    if (run.ms !== null) widget.dataset.ms = run.ms;
  };
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const drawSoon = () => (late ??= setTimeout(draw, Math.max(0, drawnAt + (calm() ? 400 : 33) - performance.now())));
  const run = session({ model, root: widget, say: live.say, changed: (why) => (why === "state" ? drawSoon() : draw()) });
  tool.inputs[0].checked = true;
  follow(model, ["steps"], () => {
    steps.show(model.get("steps"), `${model.get("steps")} steps`, `${model.get("steps")}`);
    reset();
  });
  model.on("change:url", () => run.close());
  el.append(widget);
  return run.close;
}

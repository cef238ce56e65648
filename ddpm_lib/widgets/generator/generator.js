// Press Generate and watch noise turn into pictures, computed here by a network in a worker. State: generator.py.
function render({ model, el }) {
  const [, height, width] = model.get("shape");
  const set = writer(model);
  const put = (values) => {
    if ("steps" in values) run.stepsChosen = true;
    set(values);
  };
  const mode = () => model.get("mode");
  const live = announcer();

  // The pictures.
  const picture = { xt: gallery(width, height), x0: gallery(width, height) };
  const panel = (name, word, node) =>
    h("div", { class: "ddpm-panel" }, h("div", { class: "ddpm-name" }, name, h("span", { class: "ddpm-word" }, word)), node);
  const [madeOf, guessed] = [h("span"), h("span")];
  const board = pad({ width, height, say: live.say, changed: () => run.restart() });
  const drawn = panel(symbol("x", "0"), "your drawing", board.node);
  const panels = h("div", { class: "ddpm-panels" }, drawn, panel(symbol("x", "t"), madeOf, picture.xt.node), panel(symbol("x", "0", "hat"), guessed, picture.x0.node));

  // What a run starts from.
  const modes = [["noise", "pure noise"], ["drawing", "a drawing"], ["hole", "a drawing with a hole"]];
  const starts = choice("Start from", true, modes.map(([name, words]) => ({ name: words, pick: () => {
    put({ mode: name });
    panels.scrollIntoView({ block: "nearest" }); // the pad is drawn on next
  } })));
  const tools = ["pen", "eraser", "hole"];
  const tool = choice("Tool", true, tools.map((name) => ({ name, pick: () => board.use(name) })));
  const small = (words, name, onclick) => {
    const node = button(words, onclick, "ddpm-small");
    node.setAttribute("aria-label", name);
    return node;
  };
  const examples = h("span", { class: "ddpm-choice", role: "group", "aria-label": "Examples" }, h("span", { class: "ddpm-label", "aria-hidden": "true" }, "Example"),
    h("span", { class: "ddpm-options" }, ...STROKES.map((_, digit) => small(String(digit), `example ${digit}`, () => {
      board.example(digit);
      if (digit < controls.labels.length && Number.isInteger(model.get("digit"))) put({ digit });
      run.restart();
    }))));
  const clear = small("Clear", "Clear", () => {
    board.clear();
    run.restart();
    live.say("cleared");
  });
  const T = floats(model.get("alpha_bar")).length - 1;
  const amount = dial({ label: "time t that the drawing is noised to", face: ["noise it to ", it("t")], stops: upTo(1, T), pick: (start) => put({ start }) });
  const studio = h("div", { class: "ddpm-studio" }, amount.node, h("div", { class: "ddpm-controls" }, tool.node, clear), examples);

  // The slider goes through what has been computed; while the reader leaves it at the end, it follows.
  const time = timeline({ label: "step, through what was computed", seek: (step) => { player.stop(); run.go(step); } });
  const done = h("div", { class: "ddpm-unseen", role: "progressbar", "aria-label": "steps computed", "aria-valuemin": 0 });
  const player = playButton({
    at: () => run.at / Math.max(1, run.frames.length - 1),
    go: (share) => run.go(Math.round(share * (run.frames.length - 1))),
    steps: () => run.frames.length - 1, seconds: 4,
  });
  const hold = button("Pause", () => run.hold(), "ddpm-hold");
  const once = button("One step", () => run.once());
  const again = button("Restart", () => run.generate());
  again.title = "the same seed, from the start";
  const main = button("Generate", () => (run.busy() ? run.stop() : run.generate()), "ddpm-main");
  const status = h("div", { class: "ddpm-status" });
  const controls = settings({ model, put, say: live.say, T });
  const widget = h(
    "div", { class: "ddpm-widget ddpm-generate", role: "group", "aria-label": "Generate images here" },
    panels, studio, controls.digit, h("div", { class: "ddpm-press" }, main, controls.dice),
    h("div", { class: "ddpm-time" }, player.node, hold, once, again, h("div", { class: "ddpm-track" }, time.slider), time.clock), done, status,
    starts.node, controls.fold, live.node,
  );

  let [late, drawnAt] = [null, 0];
  const draw = () => {
    clearTimeout(late);
    [late, drawnAt] = [null, performance.now()];
    const { state, paused, frames, steps, n, at, seed } = run;
    const { t, xt, x0 } = frames[at];
    const computed = frames.length - 1;
    const words = state === "error" ? "recorded" : `seed ${seed}`;
    picture.xt.show(xt, n, `${t ? "the noisy image x t" : "the clean image x t"} at t = ${t}, ${words}`);
    picture.x0.show(x0, n, `the guess x 0 hat${x0 ? ` at t = ${t}` : ", not made yet"}`);
    madeOf.textContent = `${t ? "noisy" : "clean"}, ${words}`;
    guessed.textContent = x0 ? "the guess" : "no guess yet";
    status.textContent = run.status;
    const end = Math.max(steps, 1);
    time.slider.max = end;
    time.show(t, T, at, `step ${at} of ${steps}, t = ${t}`);
    time.slider.disabled = !computed;
    time.slider.style.setProperty("--ddpm-share", `${(100 * computed) / end}%`);
    done.setAttribute("aria-valuemax", end);
    done.setAttribute("aria-valuenow", computed);
    const running = state === "running";
    const focused = !running && [hold, once].includes(document.activeElement);
    player.node.hidden = running;
    player.node.disabled = !computed;
    hold.hidden = once.hidden = !running;
    again.hidden = !run.busy() && !computed;
    if (focused) player.node.focus(); // what had the focus has gone
    hold.textContent = paused ? "Resume" : "Pause";
    main.textContent = run.busy() ? "Cancel" : "Generate";
    widget.classList.toggle("ddpm-drawing", mode() !== "noise");
    drawn.hidden = studio.hidden = mode() === "noise";
    amount.node.hidden = mode() !== "drawing";
    tool.inputs[2].parentNode.hidden = mode() !== "hole";
    widget.toggleAttribute("data-paused", paused);
    Object.assign(widget.dataset, { state, step: at, t, mode: mode() });
    if (run.ms === null) delete widget.dataset.ms;
    else widget.dataset.ms = run.ms;
  };
  // Steps come faster than they can be seen, and what a picture costs is taken from the network: thirty a second.
  const drawSoon = () => (late ??= setTimeout(draw, Math.max(0, drawnAt + 33 - performance.now())));
  const sync = () => {
    controls.show();
    amount.show(model.get("start"), `t = ${model.get("start")} of ${T}`, `${model.get("start")}`);
    starts.inputs[modes.findIndex(([name]) => name === mode())].checked = true;
  };
  const enterMode = () => {
    const first = mode() === "hole" ? 2 : 0;
    tool.inputs[first].checked = true;
    board.use(tools[first]);
    board.show(mode() === "hole");
    if (mode() === "hole" && !board.hole().includes(1)) board.halve();
    run.restart();
  };

  const run = generation({ model, board, root: widget, say: live.say, changed: (why) => {
    if (run.state === "idle" || run.state === "loading") player.stop();
    if (why === "state" && !run.calm() && !run.paused) return drawSoon();
    draw();
    if (why === "error" && !run.calm()) player.node.click();
  } });
  const digit = model.get("digit");
  board.example(Number.isInteger(digit) ? digit % 10 : 3);
  enterMode();
  follow(model, [...MADE_OF, "more"], sync);
  model.on("change:mode", enterMode);
  el.append(widget);
  return run.close;
}

// Press Generate and watch noise turn into pictures, computed here by a network in a worker. State: generate.py.
function render({ model, el }) {
  const [, height, width] = model.get("shape");
  const size = height * width;
  const alphaBar = floats(model.get("alpha_bar"));
  const T = alphaBar.length - 1;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const chosen = new Set(); // what the reader has set
  const put = (values) => {
    for (const [name, value] of Object.entries(values)) {
      chosen.add(name);
      model.set(name, value);
    }
    model.save_changes();
  };
  const mode = () => model.get("mode");
  const live = announcer();

  // The frames computed so far, { t, xt, x0 } at 8 bits a pixel, how many there will be, and which one is shown.
  let [state, paused, frames, steps, n, at, follows, pressed, slow, seed] = ["idle", false, [], 0, 1, 0, true, 0, "", 0];
  let here = false; // whether the network has been loaded
  const busy = () => state === "loading" || state === "running";

  const hat = h("span", { class: "ddpm-symbol" }, h("i", { class: "ddpm-hat" }, "x"), h("sub", {}, it("0")));
  const picture = { xt: gallery(width, height, "the noisy image x t"), x0: gallery(width, height, "the guess x 0 hat") };
  const panel = (name, word, node) =>
    h("div", { class: "ddpm-panel" }, h("div", { class: "ddpm-name" }, name, h("span", { class: "ddpm-word" }, word)), node);
  const seedShown = h("span");
  const board = pad({ width, height, say: live.say, changed: () => restart() });
  const drawn = panel(symbol("x", "0"), "your drawing", board.node);
  const panels = h("div", { class: "ddpm-panels" }, drawn, panel(symbol("x", "t"), seedShown, picture.xt.node), panel(hat, "the guess", picture.x0.node));

  const modes = [["noise", "pure noise"], ["drawing", "a drawing"], ["hole", "a drawing with a hole"]];
  const starts = choice("Start from", true, modes.map(([name, words]) => ({ name: words, face: segment(words), pick: () => {
    put({ mode: name });
    panels.scrollIntoView({ block: "nearest" }); // the pad is drawn on next
  } })));
  const tools = ["pen", "eraser", "hole"].map((name) => ({ name, face: segment(name), pick: () => board.use(name) }));
  const tool = choice("Tool", true, tools);
  const holeTool = tool.inputs[2].parentNode;
  const examples = h("span", { class: "ddpm-choice", role: "group", "aria-label": "Examples" }, h("span", { class: "ddpm-label", "aria-hidden": "true" }, "Example"),
    h("span", { class: "ddpm-options" }, ...STROKES.map((_, digit) => h("button", {
      type: "button", class: "ddpm-button ddpm-small", "aria-label": `example ${digit}`,
      onclick: () => {
        board.example(digit);
        if (digit < controls.labels.length && Number.isInteger(model.get("digit"))) put({ digit });
        restart();
      },
    }, String(digit)))));
  const clear = h("button", { type: "button", class: "ddpm-button ddpm-small", onclick: () => {
    board.clear();
    restart();
    live.say("cleared");
  } }, "Clear");
  const amount = dial("time t that the drawing is noised to", ["noise it to ", it("t")], upTo(1, T, 1), { text: String, pick: (start) => put({ start }) });
  const studio = h("div", { class: "ddpm-studio" }, amount.node, h("div", { class: "ddpm-controls" }, tool.node, clear), examples);

  // The slider goes through what has been computed; while the reader leaves it at the end, it follows.
  const slider = h("input", {
    type: "range", min: 0, step: 1, "aria-label": "step, through what was computed",
    oninput: () => { player.stop(); go(slider.valueAsNumber); },
  });
  const done = h("div", { class: "ddpm-unseen", role: "progressbar", "aria-label": "steps computed", "aria-valuemin": 0 });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const player = playButton({
    at: () => at / Math.max(1, frames.length - 1),
    go: (share) => go(Math.round(share * (frames.length - 1))),
    steps: () => frames.length - 1, seconds: 4,
  });
  const button = (words, onclick, more = "") => h("button", { type: "button", class: `ddpm-button ${more}`, onclick }, words);
  const hold = button("Pause", () => {
    paused = !paused;
    network.tell(paused ? "pause" : "resume");
    live.say(paused ? `paused at step ${frames.length - 1} of ${steps}` : "going on");
    draw();
  }, "ddpm-hold");
  const once = button("One step", () => {
    if (!paused) network.tell("pause");
    paused = true;
    network.tell("step");
    draw();
  });
  const again = button("Restart", () => generate());
  again.title = "the same seed, from the start";
  const main = button("Generate", () => (busy() ? stop() : generate()), "ddpm-main");
  const status = h("div", { class: "ddpm-status" });
  const controls = settings({ model, put, T });
  const root = h(
    "div", { class: "ddpm-widget ddpm-generate", role: "group", "aria-label": "Generate images here" },
    panels, studio, controls.digit, h("div", { class: "ddpm-press" }, main, controls.dice),
    h("div", { class: "ddpm-time" }, player.node, hold, once, again, h("div", { class: "ddpm-track" }, slider), clock), done, status,
    starts.node, controls.fold, live.node,
  );

  const clean = () => Float32Array.from({ length: n * size }, ((x0) => (_, i) => x0[i % size])(board.x0()));
  // Where a run begins: noise that depends on the seed alone, or the drawing with so much of it that t is reached.
  const beginning = () => {
    seed = model.get("seed");
    const eps = Float32Array.from(upTo(0, n - 1, 1).flatMap((i) => Array.from(noise((seed + i) % 2 ** 31, size))));
    const t = mode() === "drawing" ? model.get("start") : T;
    if (mode() === "noise") return { t, x: eps };
    const [a, b, hole, x0] = [Math.sqrt(alphaBar[t]), Math.sqrt(1 - alphaBar[t]), board.hole(), clean()];
    return { t, x: eps.map((z, i) => (mode() === "hole" && hole[i % size] ? z : a * x0[i] + b * z)) };
  };
  // Where a step takes long there are fewer of them, unless the reader has chosen their number.
  const options = (kind) => {
    slow = kind === "javascript" ? "This browser has no WebAssembly SIMD, so a step takes about ten times as long" : "";
    if (slow && !chosen.has("steps") && model.get("steps") > 20) {
      slow += ": 20 steps are set, not " + model.get("steps");
      model.set("steps", 20);
      model.save_changes();
    }
    if (slow) slow += ".";
    const { t, x } = beginning();
    const digit = model.get("digit");
    const label = (i) => (digit === "each" ? (seed + i) % controls.labels.length : digit === "none" ? -1 : digit);
    const all = { n, labels: upTo(0, n - 1, 1).map(label), seed, x };
    for (const name of ["sampler", "eta", "w"]) all[name] = model.get(name);
    // A shorter way takes its share of the steps.
    all.steps = Math.max(1, Math.round((Math.min(model.get("steps"), T) * t) / T));
    if (mode() === "drawing") all.from = t;
    if (mode() === "hole") Object.assign(all, { mask: Float32Array.from(board.hole(), (v) => 1 - v), known: board.x0() });
    return all;
  };

  const enter = (next) => {
    state = next;
    paused = false;
  };
  // Back to the beginning: what has been computed no longer belongs to what is chosen.
  const reset = () => {
    if (busy()) network.cancel();
    player.stop();
    n = model.get("n");
    const { t, x } = beginning();
    [frames, steps, at, follows] = [[{ t, xt: bytesOf(x), x0: null }], 0, 0, true];
    delete root.dataset.ms;
    status.textContent = mode() === "hole" && !board.hole().includes(1) ? "There is no hole to fill: paint one with the tool \u201chole\u201d."
      : here || model.get("weights") || !model.get("url") ? "The network draws in this browser."
      : "The network is loaded when you press Generate, and draws in this browser.";
    enter("idle");
  };
  const restart = () => {
    reset();
    draw();
  };
  const generate = () => {
    reset();
    pressed = performance.now();
    enter("loading");
    status.textContent = "Loading the network \u2026";
    live.say("loading the network");
    draw();
    network.run(options);
  };
  const stop = () => {
    network.cancel();
    enter("idle");
    status.textContent = steps ? `Stopped at step ${frames.length - 1} of ${steps}.` : "Stopped.";
    live.say(status.textContent);
    draw();
  };

  const hear = {
    started: () => {
      enter("running");
      here = true;
    },
    state: ({ step, steps: all, t, xt, x0_hat }) => {
      frames[step] = { t, xt: bytesOf(xt), x0: x0_hat && bytesOf(x0_hat) };
      steps = all;
      status.textContent = `Step ${step} of ${steps}${slow && `. ${slow}`}`;
      if (paused) live.say(`step ${step} of ${steps}, t = ${t}`);
      // Who asked for less motion sees ten of the steps.
      if (follows && (paused || !calm() || step === steps || step % Math.ceil(steps / 10) === 0)) at = step;
    },
    done: () => {
      const ms = Math.round(performance.now() - pressed);
      root.dataset.ms = ms;
      const focused = [hold, once].includes(document.activeElement);
      enter("done");
      status.textContent = `${steps} steps in ${(ms / 1000).toFixed(1)} s, computed ${slow ? "here" : "in this browser"}. ${slow || "The slider goes back through them."}`;
      live.say(`done: ${steps} steps in ${(ms / 1000).toFixed(1)} seconds`);
      draw();
      if (focused) player.node.focus();
    },
    gone: () => {
      if (!busy()) return;
      enter("idle");
      status.textContent = "Stopped.";
    },
    error: ({ message }) => {
      const recorded = model.get("recorded");
      enter("error");
      [frames, n] = [replay(recorded, alphaBar, size), recorded.n];
      [steps, at] = [frames.length - 1, calm() ? frames.length - 1 : 0];
      status.textContent = `${message} Shown instead: a recording of the same network, drawing ${recorded.labels.join(", ") || "pictures"}.`;
      live.say(status.textContent);
      draw();
      if (!calm()) player.node.click();
    },
  };
  const network = engine({ model, root, hear: (message) => { hear[message.type]?.(message); draw(); } });

  const go = (step) => {
    at = Math.max(0, Math.min(step, frames.length - 1));
    follows = at === frames.length - 1;
    draw();
    live.say(`step ${at} of ${frames.length - 1}, t = ${frames[at].t}`);
  };
  const draw = () => {
    const { t, xt, x0 } = frames[at];
    picture.xt.show(xt, n);
    picture.x0.show(x0, n);
    seedShown.textContent = state === "error" ? "noisy, recorded" : `noisy, seed ${seed}`;
    const end = Math.max(steps, 1);
    slider.max = end;
    slider.value = at;
    slider.disabled = frames.length < 2;
    slider.style.setProperty("--ddpm-share", `${(100 * (frames.length - 1)) / end}%`);
    slider.setAttribute("aria-valuetext", `step ${at} of ${steps}, t = ${t}`);
    done.setAttribute("aria-valuemax", end);
    done.setAttribute("aria-valuenow", frames.length - 1);
    clock.replaceChildren(it("t"), ` = ${t}`, h("span", {}, ` / ${T}`));
    player.node.hidden = state === "running";
    player.node.disabled = frames.length < 2;
    hold.hidden = once.hidden = state !== "running";
    again.hidden = !busy() && frames.length < 2;
    hold.textContent = paused ? "Resume" : "Pause";
    main.textContent = busy() ? "Cancel" : "Generate";
    root.classList.toggle("ddpm-drawing", mode() !== "noise");
    drawn.hidden = studio.hidden = mode() === "noise";
    amount.node.hidden = mode() !== "drawing";
    holeTool.hidden = mode() !== "hole";
    root.toggleAttribute("data-paused", paused);
    Object.assign(root.dataset, { state, step: at, t, mode: mode() });
  };
  const sync = () => {
    controls.show();
    amount.show(model.get("start"));
    starts.inputs[modes.findIndex(([name]) => name === mode())].checked = true;
  };
  const enterMode = () => {
    const first = mode() === "hole" ? 2 : 0;
    tool.inputs[first].checked = true;
    board.use(tools[first].name);
    board.show(mode() === "hole");
    if (mode() === "hole" && !board.hole().includes(1)) board.halve();
    restart();
  };

  const digit = model.get("digit");
  board.example(Number.isInteger(digit) ? digit % 10 : 3);
  sync();
  enterMode();
  for (const name of ["digit", "sampler", "steps", "eta", "w", "seed", "n", "start", "mode", "more"]) model.on(`change:${name}`, sync);
  for (const name of ["seed", "n", "start"]) model.on(`change:${name}`, () => busy() || restart());
  model.on("change:mode", enterMode);
  el.append(root);
  return network.close;
}

export default { render };

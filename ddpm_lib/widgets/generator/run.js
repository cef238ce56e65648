// A run of the network: the frames computed so far, which of them is shown, and what is said of it. It draws nothing.

// What a picture is made of. Whoever chooses one of these anew takes the picture away: control and picture agree.
const MADE_OF = ["digit", "sampler", "steps", "eta", "w", "seed", "n", "mode", "start", "url"];

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;

// board: the drawing pad. root: the widget's element. say: to a screen reader. changed: called when there is something to
// draw. The fields of what it returns are there to be read.
function generation({ model, board, root, say, changed }) {
  const [, height, width] = model.get("shape");
  const size = height * width;
  const alphaBar = floats(model.get("alpha_bar"));
  const T = alphaBar.length - 1;
  const labels = model.get("labels");
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  // frames: { t, xt, x0 } at 8 bits a pixel; at: which one is shown; steps: how many there will be.
  const run = { state: "idle", paused: false, frames: [], steps: 0, n: 1, at: 0, seed: 0, status: "", ms: null };
  let [follows, pressed, slow, here, made, own] = [true, 0, "", false, "", false];
  let [last, spent, taken, pace] = [0, 0, 0, 0]; // pace: milliseconds a forward pass of one image, once measured
  const mode = () => model.get("mode");
  const first = model.get("url");
  const busy = () => run.state === "loading" || run.state === "running";
  const end = () => run.frames.length - 1;
  const recipe = () => JSON.stringify(MADE_OF.map((name) => model.get(name)));
  // A guided step needs two passes.
  const passes = (steps) => run.n * steps * (model.get("w") && model.get("digit") !== "none" ? 2 : 1);

  // Where a run begins: noise that depends on the seed alone, or the drawing with so much of it that t is reached.
  const beginning = () => {
    run.seed = model.get("seed");
    const images = upTo(0, run.n - 1);
    const eps = Float32Array.from(images.flatMap((i) => Array.from(noise(run.seed + i, size))));
    const t = mode() === "drawing" ? model.get("start") : T;
    if (mode() === "noise") return { t, x: eps };
    const [x0, hole] = [board.x0(), board.hole()];
    const xt = mixed(alphaBar[t], Float32Array.from(eps, (_, i) => x0[i % size]), eps);
    return { t, x: mode() === "hole" ? xt.map((x, i) => (hole[i % size] ? eps[i] : x)) : xt };
  };
  // A shorter way takes its share of the steps.
  const stepsFrom = (t) => Math.max(1, Math.round((Math.min(model.get("steps"), T) * t) / T));
  // What the worker is asked. Where a step takes long there are fewer of them, unless the reader has chosen their number.
  const options = (kind) => {
    slow = kind === "javascript" ? " This browser has no WebAssembly SIMD, so a step takes seven to nine times as long." : "";
    if (slow && !run.stepsChosen && model.get("steps") > 20) {
      slow = `${slow.slice(0, -1)}: 20 steps are set, not ${model.get("steps")}.`;
      own = true;
      model.set("steps", 20);
      model.save_changes();
      own = false;
      made = recipe();
    }
    const { t, x } = beginning();
    const digit = model.get("digit");
    const label = (i) => (digit === "each" ? (run.seed + i) % labels.length : digit === "none" ? -1 : digit);
    const all = { n: run.n, labels: upTo(0, run.n - 1).map(label), seed: run.seed, x, steps: stepsFrom(t), ...traits(model, "sampler", "eta", "w") };
    if (mode() === "drawing") all.from = t;
    if (mode() === "hole") Object.assign(all, { mask: Float32Array.from(board.hole(), (v) => 1 - v), known: board.x0() });
    return all;
  };

  const enter = (state, status = run.status) => Object.assign(run, { state, status, paused: false });
  const ready = () => {
    if (mode() === "hole" && !board.hole().includes(1)) return "There is no hole to fill: paint one with the tool \u201chole\u201d.";
    const beside = !here && !model.get("weights") && model.get("url");
    const times = run.n > 1 ? ` ${run.n} images take ${run.n} times as long as one` : "";
    const about = pace ? `, about ${seconds(pace * passes(stepsFrom(run.frames[0].t)))} here` : "";
    return `The network ${beside ? "is loaded when you press Generate, and " : ""}draws in this browser.${times && `${times}${about}.`}`;
  };
  // Back to the beginning: what has been computed no longer belongs to what is chosen.
  const reset = () => {
    if (busy()) network.cancel();
    run.n = model.get("n");
    const { t, x } = beginning();
    Object.assign(run, { frames: [{ t, xt: levelsOf(x), x0: null }], steps: 0, at: 0, ms: null });
    [follows, made] = [true, recipe()];
    enter("idle", ready());
  };
  const restart = () => {
    reset();
    changed();
  };
  const generate = () => {
    reset();
    pressed = performance.now();
    enter("loading", "Loading the network \u2026");
    say("loading the network");
    changed();
    network.run(options);
  };
  const stop = () => {
    network.cancel();
    enter("idle", run.steps ? `Stopped at step ${end()} of ${run.steps}.` : "Stopped.");
    say(run.status);
    changed();
  };
  const show = (step) => {
    run.at = Math.max(0, Math.min(step, end()));
    follows = run.at === end();
  };
  const go = (step) => {
    show(step);
    changed();
    say(`step ${run.at} of ${end()}, t = ${run.frames[run.at].t}`);
  };
  // Whoever goes on, goes on from where the network is, and sees it.
  const hold = () => {
    run.paused = !run.paused;
    if (!run.paused) show(end());
    last = performance.now();
    network.tell(run.paused ? "pause" : "resume");
    say(run.paused ? `paused at step ${end()} of ${run.steps}` : "going on");
    changed();
  };
  const once = () => {
    if (!run.paused) network.tell("pause");
    run.paused = true;
    show(end());
    network.tell("step");
    changed();
  };

  const hear = {
    started: () => {
      enter("running");
      here = true;
      [last, spent, taken] = [performance.now(), 0, 0];
    },
    state: ({ step, steps, t, xt, x0_hat }) => {
      const now = performance.now();
      if (step && !run.paused) [spent, taken] = [spent + now - last, taken + 1];
      last = now;
      if (taken) pace = spent / passes(taken);
      run.frames[step] = { t, xt: levelsOf(xt), x0: x0_hat && levelsOf(x0_hat) };
      run.steps = steps;
      const left = pace * passes(steps - step);
      run.status = `Step ${step} of ${steps}${taken && left > 1000 ? `, about ${seconds(left)} left` : ""}.${slow}`;
      if (run.paused) say(`step ${step} of ${steps}, t = ${t}`);
      // Who asked for less motion sees ten of the steps.
      if (follows && (run.paused || !calm() || step === steps || step % Math.ceil(steps / 10) === 0)) run.at = step;
    },
    done: () => {
      run.ms = Math.round(performance.now() - pressed);
      const what = `${run.steps} step${run.steps === 1 ? "" : "s"} in ${(run.ms / 1000).toFixed(run.steps < 10 ? 2 : 1)}`;
      enter("done", `${what} s, computed ${slow ? "here" : "in this browser"}.${slow || " The slider goes back through them."}`);
      say(`done: ${what} seconds`);
    },
    gone: () => busy() && enter("idle", "Stopped."),
    error: ({ message }) => {
      const recorded = model.get("recorded");
      enter("error", `${message} Shown instead: a recording of ${model.get("url") === first ? "the same" : "another"} network, drawing ${recorded.labels.join(", ") || "pictures"}.`);
      Object.assign(run, { frames: replay(recorded, alphaBar, size), n: recorded.n });
      Object.assign(run, { steps: end(), at: calm() ? end() : 0 });
      say(run.status);
    },
  };
  const network = networkWorker({ model, root, hear: (message) => {
    hear[message.type]?.(message);
    changed(message.type);
  } });
  model.on("change:url", () => {
    network.close();
    [here, pace] = [false, 0];
  });
  for (const name of MADE_OF) model.on(`change:${name}`, () => own || recipe() === made || restart());

  return Object.assign(run, { T, busy, calm, generate, stop, restart, go, hold, once, close: network.close });
}

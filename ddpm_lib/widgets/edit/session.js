// Runs of the network, one after another, each from what the one before has made; and what is said of them. It draws nothing.

// root: the widget's element. say: to a screen reader. changed: called when there is something to draw. generate(stages)
// begins: each is { words, ask(fewer), hear(state) }, where ask gives what the worker is asked, in `fewer` steps at most, and
// hear gets every state. The fields of what it returns are there to be read.
function session({ root, model, say, changed }) {
  const run = { state: "idle", status: "", ms: null };
  let [stages, done, pressed, slow] = [[], 0, 0, false];
  const busy = () => run.state === "loading" || run.state === "running";
  const enter = (state, status) => Object.assign(run, { state, status });
  const next = () => network.run((kind) => {
    slow = kind === "javascript"; // seven to nine times as slow
    return stages[done].ask(slow ? 20 : Infinity);
  });
  const hear = {
    started: () => enter("running", `${stages[done].words} \u2026`),
    state: (state) => {
      enter("running", `${stages[done].words}: step ${state.step} of ${state.steps}.`);
      stages[done].hear(state);
    },
    done: () => {
      done += 1;
      if (done < stages.length) return next();
      run.ms = Math.round(performance.now() - pressed);
      const seconds = `${(run.ms / 1000).toFixed(1)} s`;
      enter("done", `${stages[done - 1].end()} Computed in ${seconds} in this browser${slow ? ", which has no WebAssembly SIMD: in 20 steps" : ""}.`);
      say(`done in ${seconds}`);
    },
    gone: () => busy() && enter("idle", "Stopped."),
    error: ({ message }) => {
      enter("error", message);
      say(message);
    },
  };
  const network = networkWorker({ model, root, again: "Generate", hear: (message) => {
    hear[message.type]?.(message);
    changed(message.type);
  } });
  const reset = (status) => {
    if (busy()) network.cancel();
    run.ms = null;
    enter("idle", status);
    changed();
  };
  const generate = (all) => {
    reset("");
    [stages, done, pressed] = [all, 0, performance.now()];
    enter("loading", "Loading the network \u2026");
    say("loading the network");
    changed();
    next();
  };
  return Object.assign(run, { busy, generate, reset, close: network.close });
}

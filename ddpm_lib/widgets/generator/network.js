// The network of a page: its weights, asked for once and only when a reader wants them, and the worker that runs it.

async function weights(model) {
  if (typeof Worker === "undefined") throw Error("This browser has no background workers, which the network needs: try another one.");
  if (model.get("weights")) return { detail: JSON.parse(model.get("weights")) };
  if (model.send) return fromKernel(model, "weights", "Python did not send the network's weights: run this cell again.");
  return besidePage({
    url: model.get("url"),
    event: "ddpm-weights",
    broken: "The file with the network's weights is broken: load the page again.",
    missing: "The network's weights do not lie beside this page: open the published book, or run this cell.",
  });
}

// How long a reader waits for a sign of life, in ticks of half a second: for the file, for the worker, and for a step of
// n images. Ticks are counted and not the clock: a page that sleeps has none, and its worker sleeps too.
const TICK = 500;
const PATIENCE = { file: 240, worker: 60, step: (n) => 40 + 10 * n };

// Runs the network in a worker, which lives from the first press until `root` leaves the page. run(options) begins anew;
// options(kind) is asked once the network is there, `kind` being its matrix product, "wasm-simd" or "javascript".
// hear({ type, ... }) is told of "started", "state", "done", "error" and "gone" (the element or the page was taken away).
// `again` is the button that tries once more.
function networkWorker({ model, root, hear, again = "Restart" }) {
  let worker = null;
  let opened = null; // a promise: the worker has its weights
  let watch = null;
  let [id, waiting, paused, owed, silent, patience, late] = [0, false, false, false, 0, 0, ""]; // owed: one step, though paused
  const expect = (ticks, sentence) => ([silent, patience, late] = [0, ticks, sentence]);
  const close = () => {
    worker?.terminate();
    worker = opened = null;
    waiting = false;
    id += 1;
    clearInterval(watch);
    removeEventListener("pagehide", gone);
  };
  const gone = () => {
    close();
    hear({ type: "gone" });
  };
  const fail = (message) => {
    const asked = waiting; // otherwise nobody waits, and the next press tries again
    close();
    if (asked) hear({ type: "error", message });
  };
  const tick = () => {
    if (!root.isConnected) gone();
    else if (waiting && (owed || !paused) && ++silent > patience) fail(late);
  };
  const open = () => {
    watch = setInterval(tick, TICK);
    addEventListener("pagehide", gone);
    expect(PATIENCE.file, `The network's weights have not come within two minutes: press ${again} to try again.`);
    const mine = weights(model).then(({ detail, source, forget }) => new Promise((resolve, reject) => {
      if (opened !== mine) return; // closed while the weights were on their way
      expect(PATIENCE.worker, `The network did not start within half a minute: press ${again} to try again.`);
      let ready = false;
      const broken = (message) => {
        if (ready) return fail(message);
        forget?.();
        reject(Error(message));
      };
      const url = URL.createObjectURL(new Blob([model.get("worker") || source], { type: "text/javascript" }));
      worker = new Worker(url);
      worker.onerror = (event) => {
        event.preventDefault(); // it is said in the widget
        broken(`The network stopped: ${event.message ?? "its worker could not start"}.`);
      };
      worker.onmessageerror = () => broken("The network sent something that this browser cannot read.");
      worker.onmessage = ({ data }) => {
        URL.revokeObjectURL(url);
        silent = 0;
        if (!root.isConnected) gone();
        else if (data.type === "loaded") resolve((ready = data.kind));
        else if (data.type === "error" && (data.id === undefined || data.id === id)) broken(data.message);
        else if (data.id === id) {
          owed = false;
          if (data.type === "done") waiting = false;
          hear(data);
        }
      };
      worker.postMessage({ type: "load", detail });
    }));
    return (opened = mine);
  };
  const run = async (options) => {
    const mine = (id += 1);
    [waiting, paused, owed, silent] = [true, false, false, 0];
    try {
      const kind = await (opened ?? open());
      if (id !== mine) return;
      const asked = options(kind);
      expect(PATIENCE.step(asked.n), `The network has stopped answering: press ${again} to try again.`);
      worker.postMessage({ type: "run", id: mine, ...asked });
      hear({ type: "started" });
    } catch (error) {
      if (id === mine) fail(error.message);
      else if (!waiting) close(); // cancelled before it failed: the next press opens anew
    }
  };
  const cancel = () => {
    id += 1;
    waiting = false;
    worker?.postMessage({ type: "cancel" });
  };
  const tell = (type) => {
    [paused, owed, silent] = [type === "step" ? paused : type === "pause", type === "step", 0];
    worker?.postMessage({ type });
  };
  return { run, cancel, close, tell };
}

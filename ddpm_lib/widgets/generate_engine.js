// The network of a page: its weights, asked for once and only when a reader wants them, and the worker that runs it.

// Weights from a script beside the page. Its address counts from the book's root, which Sphinx writes into each page.
// The script tells its own element; that element keeps what it heard, so that every widget of the page can ask it.
function weightsFromScript(url) {
  const { href } = new URL((document.documentElement.dataset.content_root ?? "") + url, document.baseURI);
  const known = [...document.querySelectorAll("script[data-ddpm-weights]")].find((s) => s.src === href && s.ddpmHeard);
  if (known) return known.ddpmHeard;
  const script = h("script", { src: href, "data-ddpm-weights": "" });
  script.ddpmHeard = new Promise((resolve, reject) => {
    let source = ""; // of the worker, where the page has none
    script.addEventListener("ddpm-engine", (event) => (source = event.detail));
    script.addEventListener("ddpm-weights", (event) => resolve({ detail: event.detail, source }));
    script.addEventListener("load", () => reject(Error("The file with the network's weights is broken: load the page again.")));
    script.addEventListener("error", () => reject(Error("The network's weights do not lie beside this page: open the published book, or run this cell.")));
  });
  script.ddpmHeard.catch(() => script.remove()); // so that the next press tries again
  document.head.append(script);
  return script.ddpmHeard;
}

// Weights from Python, which sends them when asked.
const weightsFromKernel = (model) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(Error("Python did not send the network's weights: run this cell again.")), 30000);
    model.on("change:weights", () => {
      clearTimeout(late);
      resolve({ detail: JSON.parse(model.get("weights")) });
    });
    model.send({ type: "weights" });
  });

async function weights(model) {
  if (typeof Worker === "undefined") throw Error("This browser has no background workers, which the network needs: try another one.");
  if (model.get("weights")) return { detail: JSON.parse(model.get("weights")) };
  return model.send ? weightsFromKernel(model) : weightsFromScript(model.get("url"));
}

// Runs the network in a worker, which lives from the first press until `root` leaves the page. hear({ type, ... })
// is told of "started", "state", "done", "error" and "gone" (the element or the page was taken away).
function engine({ model, root, hear }) {
  let worker = null;
  let opened = null; // a promise: the worker has its weights
  let watch = null;
  let id = 0;
  const close = () => {
    worker?.terminate();
    worker = opened = null;
    id += 1;
    clearInterval(watch);
    removeEventListener("pagehide", gone);
  };
  const gone = () => {
    close();
    hear({ type: "gone" });
  };
  const fail = (message) => {
    close();
    hear({ type: "error", message });
  };
  const open = () => {
    watch = setInterval(() => root.isConnected || gone(), 500);
    addEventListener("pagehide", gone);
    const mine = weights(model).then(({ detail, source }) => new Promise((resolve, reject) => {
      if (opened !== mine) return; // closed while the weights were on their way
      let ready = false;
      const broken = (message) => (ready ? fail(message) : reject(Error(message)));
      const url = URL.createObjectURL(new Blob([model.get("engine") || source], { type: "text/javascript" }));
      worker = new Worker(url);
      worker.onerror = (event) => {
        event.preventDefault(); // it is said in the widget
        broken(`The network stopped: ${event.message ?? "its worker could not start"}.`);
      };
      worker.onmessage = ({ data }) => {
        URL.revokeObjectURL(url);
        if (!root.isConnected) gone();
        else if (data.type === "loaded") resolve((ready = true));
        else if (data.type === "error" && (data.id === undefined || data.id === id)) broken(data.message);
        else if (data.id === id) hear(data);
      };
      worker.postMessage({ type: "load", detail });
    }));
    return (opened = mine);
  };
  const run = async (options) => {
    const mine = (id += 1);
    try {
      await (opened ?? open());
      if (id !== mine) return;
      worker.postMessage({ type: "run", id: mine, ...options });
      hear({ type: "started" });
    } catch (error) {
      if (id === mine) fail(error.message);
    }
  };
  const cancel = () => {
    id += 1;
    worker?.postMessage({ type: "cancel" });
  };
  return { run, cancel, close, tell: (type) => worker?.postMessage({ type }) };
}

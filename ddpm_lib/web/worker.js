"use strict";
// The worker: it hears load, run, pause, resume, step and cancel, and tells of every step. It rests between two
// images, so that it hears them soon.

/**
 * @typedef {{ id: unknown, n: number, labels: number[], sampler: "ddpm" | "ddim", steps: number, eta: number, w: number,
 *   seed: number, x?: Float32Array, from?: number, mask?: Float32Array, known?: Float32Array,
 *   noise?: Float32Array }} Run
 */

/** @typedef {{ net: UNet, alphaBar: Float32Array, T: number }} Model */

const worker = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** @type {Model | null} */
let model = null;
/** @type {Run | null} */
let current = null; // a run that is no longer `current` ends at its next rest
let paused = false, granted = 0; // steps still to take while paused
/** @type {() => void} */
let wake = () => {};
const channel = new MessageChannel();
const rest = () => new Promise((resolve) => ((channel.port1.onmessage = resolve), channel.port2.postMessage(null)));

/** @param {Detail} detail */
function load(detail) {
  current = model = null;
  const machine = fastestProduct();
  const net = new UNet(detail.config, detail.shape, decode(detail), machine);
  model = { net, T: detail.T, alphaBar: new Float32Array(bytesOf(detail.alpha_bar).buffer) };
  worker.postMessage({ type: "loaded", kind: machine.kind });
}

/** One plain sentence for a run that cannot be. @param {Run} run @param {Model} model */
function check({ n, labels, sampler, steps, eta, w, x, from, mask, known, noise }, { net, T }) {
  const size = net.shape.reduce((a, b) => a * b), { classes } = net.config, start = from ?? T;
  const picture = size / net.shape[0];
  if (!(Number.isInteger(n) && n >= 1)) throw Error(`Cannot draw ${n} images: ask for 1 or more.`);
  if (!(Number.isInteger(start) && start >= 1 && start <= T)) throw Error(`Cannot start at t = ${start}: choose 1 to ${T}.`);
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= start)) throw Error(`Cannot take ${steps} steps from t = ${start}: choose 1 to ${start}.`);
  if (labels.length !== n) throw Error(`There are ${labels.length} labels for ${n} images: pass one an image, -1 for no class.`);
  const wrong = labels.find((y) => !(Number.isInteger(y) && y >= -1 && y < classes));
  if (wrong !== undefined) throw Error(`There is no class ${wrong}: ${classes ? `choose 0 to ${classes - 1}, or -1 for none` : "this network knows none, pass -1"}.`);
  if (sampler !== "ddpm" && sampler !== "ddim") throw Error(`There is no sampler ${sampler}: choose ddpm or ddim.`);
  if (sampler === "ddim" && !(eta >= 0 && eta <= 1)) throw Error(`eta = ${eta} is not between 0 and 1.`);
  if (!Number.isFinite(w)) throw Error(`The weight of guidance must be a number, not ${w}.`);
  if (x && x.length !== n * size) throw Error(`The start has ${x.length} numbers, not ${n} times ${size}.`);
  if (noise && noise.length !== steps * n * size) throw Error(`The noise has ${noise.length} numbers, not ${steps} times ${n} times ${size}.`);
  if (mask && (mask.length !== picture || known?.length !== size)) throw Error(`The mask needs ${picture} numbers and a known picture of ${size}.`);
}

/** @param {Run} run */
async function sample(run) {
  if (!model) throw Error("There are no weights yet: load them first.");
  check(run, model);
  const { net, alphaBar, T } = model, { id, n, labels, steps, w, mask, known } = run;
  current = run;
  paused = false;
  const size = net.shape.reduce((a, b) => a * b), eta = run.sampler === "ddpm" ? 1 : run.eta;
  const path = timesteps(run.from ?? T, steps);
  const streams = labels.map((_, i) => new Normal(run.seed + i)); // one an image: image i is image 0 of seed + i
  const draw = (/** @type {number} */ i, /** @type {number} */ step) =>
    run.noise ? run.noise.subarray((step * n + i) * size, (step * n + i + 1) * size) : streams[i].draw(size);
  /** Where the mask is 1, the known picture at the noise of s. The same z serves: a pixel uses it once.
   * @param {Float32Array} xs @param {number} s @param {Float32Array} z */
  const keep = (xs, s, z) => {
    if (!mask || !known) return xs;
    const kept = qSample(alphaBar[s], known, z);
    return xs.map((x, i) => mask[i % mask.length] * kept[i] + (1 - mask[i % mask.length]) * x);
  };
  let began = performance.now();
  const xt = new Float32Array(n * size), x0_hat = new Float32Array(n * size);
  streams.forEach((stream, i) => {
    const z = stream.draw(size);
    xt.set(keep(run.x ? run.x.subarray(i * size, (i + 1) * size) : z, path[0], z), i * size);
  });
  worker.postMessage({ type: "state", id, step: 0, steps, t: path[0], xt, x0_hat: null });
  for (let step = 0; step < steps; step++) {
    const t = path[step], s = path[step + 1];
    for (let i = 0; i < n; i++) {
      await rest();
      const stopped = performance.now();
      while (paused && !granted && i === 0 && current === run) await new Promise((/** @type {(_?: unknown) => void} */ go) => (wake = go));
      began += performance.now() - stopped; // a pause is not the engine's time
      if (current !== run) return;
      const x = xt.subarray(i * size, (i + 1) * size), z = draw(i, step);
      const x0 = denoise(net, alphaBar, x, t, labels[i], w);
      x0_hat.set(x0, i * size);
      xt.set(keep(reverseStep(alphaBar, x, x0, t, s, eta, z), s, z), i * size);
    }
    granted = Math.max(0, granted - 1);
    worker.postMessage({ type: "state", id, step: step + 1, steps, t: s, xt, x0_hat });
  }
  current = null;
  worker.postMessage({ type: "done", id, ms: performance.now() - began });
}

worker.onmessage = async ({ data: message }) => {
  try {
    if (message.type === "load") load(message.detail);
    else if (message.type === "run") await sample(message);
    else if (message.type === "step") granted = paused ? granted + 1 : 0;
    else if (message.type === "cancel") current = null;
    else if (message.type === "pause" || message.type === "resume") {
      paused = message.type === "pause";
      granted = 0;
    } else throw Error(`The engine does not know the message ${message.type}.`);
  } catch (error) {
    const message_ = error instanceof Error ? error.message : String(error);
    worker.postMessage({ type: "error", id: message.id, message: message_ });
  }
  wake();
};

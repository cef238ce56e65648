"use strict";
// The worker: it hears load, run, pause, resume, step and cancel, and tells of every step. It rests between some
// images and the next, so that it hears them soon.

/**
 * What is to be drawn: n images in `steps` steps from x (else noise of the seed) at t = `from` (else T) to 0. Where the
 * mask is 1, the known picture is kept. With `up` the walk leads the other way, from the pictures x at 0 to their noise at
 * `from`. `steer` is a wish to follow on the way down. `noise` replaces the seed's draws, one a step, for the tests.
 * @typedef {{ id: unknown, n: number, labels: number[], sampler: "ddpm" | "ddim", steps: number, eta: number,
 *   w: number, seed: number, x?: Float32Array, from?: number, mask?: Float32Array, known?: Float32Array,
 *   up?: boolean, steer?: Steer, noise?: Float32Array }} Run
 */

/** @typedef {{ net: UNet, alphaBar: Float32Array, T: number }} Model */

/** Images that go through the network at once. It rests after them. */
const TOGETHER = 2;
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

/** Until the next message was dealt with. @returns {Promise<void>} */
const message = () => new Promise((resolve) => (wake = resolve));

/** @param {Detail} detail */
function load(detail) {
  current = model = null;
  const machine = fastestProduct();
  const net = new UNet(detail.config, detail.shape, decode(detail), machine);
  model = { net, T: detail.T, alphaBar: new Float32Array(bytesOf(detail.alpha_bar).buffer) };
  worker.postMessage({ type: "loaded", kind: machine.kind });
}

/** One plain sentence for a run that cannot be. @param {Run} run @param {Model} model */
function check({ n, labels, sampler, steps, eta, w, x, from, mask, known, up, steer, noise }, { net, T }) {
  const size = net.shape.reduce((a, b) => a * b), { classes } = net.config, start = from ?? T;
  const picture = size / net.shape[0];
  const known_classes = classes ? `choose 0 to ${classes - 1}, or -1 for none` : "this network knows none, pass -1";
  const whole = (/** @type {number} */ v, /** @type {number} */ low, high = Infinity) =>
    Number.isInteger(v) && v >= low && v <= high;
  /** @type {(right: boolean, sentence: string) => void} */
  const must = (right, sentence) => {
    if (!right) throw Error(sentence);
  };
  must(whole(n, 1), `Cannot draw ${n} images: ask for 1 or more.`);
  must(whole(start, 1, T), `Cannot start at t = ${start}: choose 1 to ${T}.`);
  must(whole(steps, 1, start), `Cannot take ${steps} steps from t = ${start}: choose 1 to ${start}.`);
  must(labels.length === n, `There are ${labels.length} labels for ${n} images: pass one an image, -1 for no class.`);
  for (const y of labels) must(whole(y, -1, classes - 1), `There is no class ${y}: ${known_classes}.`);
  must(sampler === "ddpm" || sampler === "ddim", `There is no sampler ${sampler}: choose ddpm or ddim.`);
  must(sampler === "ddpm" || (eta >= 0 && eta <= 1), `eta = ${eta} is not between 0 and 1.`);
  must(Number.isFinite(w), `The weight of guidance must be a number, not ${w}.`);
  must(!x || x.length === n * size, `The start has ${x?.length} numbers, not ${n} times ${size}.`);
  must(!up || !!x, "The way up begins at pictures: pass them as x.");
  const told = steer?.loss === "slant" || [steer?.target, steer?.cares].every((v) => v?.length === size);
  must(!steer || told, `The wish for ink needs a target and what matters of it, ${size} numbers each.`);
  must(!steer || (Number.isFinite(steer.scale) && Number.isFinite(steer.wish ?? 0)), "The wish and its strength must be numbers.");
  const draws = steps * n * size;
  must(!noise || noise.length === draws, `The noise has ${noise?.length} numbers, not ${steps} times ${n} times ${size}.`);
  const fits = mask?.length === picture && known?.length === size;
  must(!mask || fits, `The mask needs ${picture} numbers and a known picture of ${size}.`);
}

/** @param {Run} run */
async function sample(run) {
  if (!model) throw Error("There are no weights yet: load them first.");
  check(run, model);
  const { net, alphaBar, T } = model, { id, n, labels, steps, w, mask, known, up, steer } = run;
  current = run;
  paused = false;
  const size = net.shape.reduce((a, b) => a * b), eta = run.sampler === "ddpm" ? 1 : run.eta;
  const path = timesteps(run.from ?? T, steps);
  if (up) path.reverse();
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
    for (let first = 0; first < n; first += TOGETHER) {
      await rest();
      const stopped = performance.now();
      while (paused && !granted && first === 0 && current === run) await message();
      began += performance.now() - stopped; // a pause is not the engine's time
      if (current !== run) return;
      const end = Math.min(n, first + TOGETHER);
      const some = xt.subarray(first * size, end * size), ys = labels.slice(first, end);
      if (steer && !up) x0_hat.set(steered(net, alphaBar, some, t, ys, w, steer), first * size);
      else x0_hat.set(denoise(net, alphaBar, some, Math.max(t, s), ys, w, up ? Infinity : 1), first * size); // up: at the later time
      for (let i = first; i < end; i++) {
        const x = xt.subarray(i * size, (i + 1) * size), guess = x0_hat.subarray(i * size, (i + 1) * size), z = draw(i, step);
        xt.set(up ? climb(alphaBar, x, guess, t, s) : keep(reverseStep(alphaBar, x, guess, t, s, eta, z), s, z), i * size);
      }
    }
    granted = Math.max(0, granted - 1);
    worker.postMessage({ type: "state", id, step: step + 1, steps, t: s, xt, x0_hat });
  }
  current = null;
  worker.postMessage({ type: "done", id, ms: performance.now() - began });
}

/** @param {MessageEvent} event */
worker.onmessage = async ({ data }) => {
  try {
    if (data.type === "load") load(data.detail);
    else if (data.type === "run") await sample(data);
    else if (data.type === "step") granted = paused ? granted + 1 : 0;
    else if (data.type === "cancel") current = null;
    else if (data.type === "pause" || data.type === "resume") {
      paused = data.type === "pause";
      granted = 0;
    } else throw Error(`The engine does not know the message ${data.type}.`);
  } catch (error) {
    worker.postMessage({ type: "error", id: data.id, message: error instanceof Error ? error.message : String(error) });
  }
  wake();
};

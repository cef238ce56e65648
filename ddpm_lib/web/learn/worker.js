"use strict";
// The worker that trains: it hears start, train, pause, step, look, walk and save, and rests every few steps to hear them.

/**
 * What the page hears. After `start`, and several times a second while it trains, a `state`: losses since the last one,
 * the averaged network's arrows on the grid and a few of its samples. `exact` holds the oracle's arrows, where they are new.
 * @typedef {{ type: "start", id: number, recipe: Recipe, points: Float32Array, learned?: Learned } | { type: "train" } |
 *   { type: "pause" } | { type: "step" } | { type: "pace", ms: number } | { type: "rate", lr: number } | { type: "save" } |
 *   { type: "look", t: number, grid: Float32Array, samples: { n: number, steps: number, seed: number } } |
 *   { type: "walk", kind: string, n: number, steps: number, seed: number }} Heard
 *
 * A `walk` is answered with its times and two lists of frames: the network's, and the oracle's from the same noise.
 */

const page = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const trainee = {
  /** @type {Learner | null} */
  learner: null,
  id: 0,
  on: false,
  pace: 150, // milliseconds between two states
  steps: 0,
  spent: 0, // milliseconds of training
  /** @type {number[]} */
  losses: [],
  least: 0,
  t: 1,
  grid: new Float32Array(0),
  samples: { n: 0, steps: 1, seed: 0 },
};
const bell = new MessageChannel();

/** @param {boolean} exact whether the oracle's arrows are to come as well */
function report(exact) {
  const { learner, t, grid, losses, steps, spent, least, id } = trainee;
  if (!learner) return;
  const at = Math.max(1, Math.min(t, learner.T));
  const clean = (/** @type {Float32Array} */ x, /** @type {number} */ t) => learner.clean(x, t);
  const drawn = walk("ddim", learner.alphaBar, clean, trainee.samples);
  page.postMessage({
    type: "state", id, steps, spent, least, losses, t: at, kind: learner.net.kind, alphaBar: learner.alphaBar[at],
    field: learner.clean(grid, at), drawn: drawn.frames[drawn.frames.length - 1],
    exact: exact ? exactClean(learner.points, learner.alphaBar[at], grid) : null,
  });
  trainee.losses = [];
}

/** @param {Learner} learner */
function one(learner) {
  const loss = learner.step();
  if (!Number.isFinite(loss)) throw Error("The loss is no longer a number: choose a lower rate and press Reset.");
  trainee.losses.push(loss);
  trainee.steps += 1;
}

/** Trains until it is time for a picture, resting every few milliseconds. */
function round() {
  const { learner } = trainee;
  if (!trainee.on || !learner) return;
  const begun = performance.now();
  do one(learner);
  while (performance.now() - begun < 20);
  trainee.spent += performance.now() - begun;
  if (performance.now() - reported >= trainee.pace) {
    report(false);
    reported = performance.now();
  }
  bell.port2.postMessage(null);
}
let reported = 0;
bell.port1.onmessage = () => guarded(round);

/** @param {() => void} work */
function guarded(work) {
  try {
    work();
  } catch (error) {
    trainee.on = false;
    page.postMessage({ type: "error", id: trainee.id, message: /** @type {Error} */ (error).message });
  }
}

/** @param {Extract<Heard, { type: "start" }>} heard */
function begin({ id, recipe, points, learned }) {
  Object.assign(trainee, { id, on: false, steps: 0, spent: 0, losses: [] });
  if (learned && learned.format !== LEARNED) throw Error(`The file has the format ${learned.format}, not ${LEARNED}: choose a file that this page or Python wrote.`);
  const from = learned && { ...learned.config, schedule: learned.schedule.name, beta: new Float64Array(unpacked(learned.schedule.beta)) };
  const learner = (trainee.learner = new Learner({ ...recipe, ...from }, points));
  if (learned) {
    loadLearned(learner.net, learned);
    [trainee.steps, trainee.spent] = [learned.step, 1000 * learned.seconds];
  }
  trainee.least = leastLoss(learner);
  report(true);
}

/** @param {MessageEvent<Heard>} event */
page.onmessage = ({ data }) => guarded(() => {
  const { learner } = trainee;
  if (data.type === "start") return begin(data);
  if (data.type === "look") {
    Object.assign(trainee, { t: data.t, grid: data.grid, samples: data.samples });
    return report(true);
  }
  if (data.type === "pace") trainee.pace = data.ms;
  if (!learner) return;
  if (data.type === "rate") learner.optimizer.lr = data.lr;
  if (data.type === "train" && !trainee.on) {
    trainee.on = true;
    round();
  }
  if (data.type === "pause") {
    trainee.on = false;
    report(false);
  }
  if (data.type === "step") {
    one(learner);
    report(false);
  }
  if (data.type === "walk") {
    const clean = (/** @type {Float32Array} */ x, /** @type {number} */ t) => learner.clean(x, t);
    const points = { n: data.n, steps: data.steps, seed: data.seed };
    const best = (/** @type {Float32Array} */ x, /** @type {number} */ t) => exactClean(learner.points, learner.alphaBar[t], x);
    const [learned, exact] = [clean, best].map((x0) => walk(data.kind, learner.alphaBar, x0, points));
    page.postMessage({ type: "walk", id: trainee.id, ts: learned.ts, frames: learned.frames, exact: exact.frames });
  }
  if (data.type === "save")
    page.postMessage({ type: "saved", id: trainee.id, learned: learnedOf(learner.net, learner.schedule, trainee.steps, trainee.spent / 1000) });
});

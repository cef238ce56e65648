"use strict";
// The worker that trains on images: it hears team, time, begin, data, train, pause, look and save, and rests after every step.

/**
 * Images as they are sent: zlib's bytes, two pixels a byte, and a byte for each class, in base64.
 * @typedef {{ name: string, classes: string[], side: number, levels: number, y: string, pixels: string }} PackedImages
 *
 * What is drawn from the averaged network: images of these classes, from the noise of `seed`, `seed` + 1 ...
 * @typedef {{ classes: number[], seed: number, w: number, steps: number }} Look
 *
 * `team` gives it the ports of workers that share its steps (team.js), each of which was told to `serve` at the other end.
 * `time` is answered with the milliseconds of a step. `begin` makes a network, fresh or of a file; `data` hands over the
 * images, which a training needs. While it trains there is a `state` every `pace` milliseconds, and every `every` steps a
 * `drawn`: what `look` asked for, in few steps; in all its steps at every rest. `data` and `look` are answered with `real`
 * images of the same classes, where there are any. At the end of the recipe's steps it rests by itself.
 * @typedef {{ type: "time", recipe: ImageRecipe, about: About } | { type: "train", pace: number, every: number } |
 *   { type: "begin", id: number, recipe: ImageRecipe, about: About, look: Look, file?: Uint8Array<ArrayBuffer> } |
 *   { type: "data", images: PackedImages } | { type: "pause" } | { type: "look", look: Look } | { type: "save" } |
 *   { type: "team", ports: MessagePort[] } | { type: "serve", port: MessagePort }} HeardOfImages
 *
 * @typedef {{ name: string, side: number, classes: string[] }} About
 */

const page = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const QUICK = 10; // steps of a drawing while it trains
const EARLY = [10, 25]; // steps after which there is something new to see
const trainee = {
  /** @type {ImageLearner | null} */
  learner: null,
  /** @type {Images | null} */
  images: null,
  id: 0,
  on: false,
  pace: 150,
  every: 50,
  spent: 0, // milliseconds of training and of drawing for it
  reported: 0,
  /** @type {number[]} */
  losses: [],
  /** @type {Look | null} */
  look: null,
  /** @type {MessagePort[]} */
  ports: [],
};
const bell = new MessageChannel();

/** @param {string} text */
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Here and not in the page, which would not hear its reader meanwhile. @param {Uint8Array} file */
function base64(file) {
  let text = "";
  for (let i = 0; i < file.length; i += 32768) text += String.fromCharCode(...file.subarray(i, i + 32768));
  return btoa(text);
}

/** @param {PackedImages} packed @returns {Promise<Images>} */
async function unpack({ y, pixels, ...about }) {
  if (typeof DecompressionStream === "undefined") throw Error("This browser cannot unpack the digits: use one of 2023 or later.");
  try {
    const stream = new Blob([bytesOf(pixels)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const pairs = new Uint8Array(await new Response(stream).arrayBuffer()), classes = bytesOf(y);
    const levels = new Uint8Array(2 * pairs.length);
    pairs.forEach((pair, i) => levels.set([pair >> 4, pair & 15], 2 * i));
    if (levels.length !== classes.length * about.side ** 2) throw Error();
    return { ...about, pixels: levels, y: classes };
  } catch {
    throw Error("The digits came damaged: load the page again.");
  }
}

/** @param {ImageLearner} learner */
const step = (learner) => (trainee.ports.length ? sharedStep(learner, trainee.ports) : learner.step());

/** The milliseconds of a step: the least of some, after the compiler has seen two. @param {ImageLearner} learner */
async function stepTime(learner) {
  const begun = performance.now();
  let least = Infinity;
  for (let i = 0; i < 8 && (i < 3 || performance.now() - begun < 1000); i++) {
    const before = performance.now();
    await step(learner);
    if (i > 1 || performance.now() - before > 500) least = Math.min(least, performance.now() - before);
  }
  return least;
}

function report() {
  const { learner, losses, spent, id } = trainee;
  if (!learner) return;
  page.postMessage({ type: "state", id, steps: learner.steps, spent, losses, on: trainee.on, kind: learner.net.kind });
  trainee.losses = [];
  trainee.reported = performance.now();
}

/** @param {number} most steps */
function draw(most) {
  const { learner, look, id } = trainee;
  if (!learner || !look) return;
  const { classes, ...options } = look;
  const x = learner.generate(classes, { ...options, steps: Math.min(most, look.steps) });
  page.postMessage({ type: "drawn", id, steps: learner.steps, look, x });
}

/** The first images of the classes that are looked at, each once. */
function real() {
  const { learner, look, id } = trainee;
  if (!learner || !look || learner.images.y.length < 2) return;
  const { pixels, y, levels, side } = learner.images, size = side * side, x = new Float32Array(look.classes.length * size);
  /** @type {Map<number, number>} */
  const next = new Map();
  look.classes.forEach((label, i) => {
    const k = y.indexOf(label, next.get(label) ?? 0);
    next.set(label, k + 1);
    if (k >= 0) x.set(Float32Array.from(pixels.subarray(k * size, (k + 1) * size), (v) => (2 * v) / (levels - 1) - 1), i * size);
  });
  page.postMessage({ type: "real", id, look, x });
}

/** One step, then a rest in which messages are heard. */
async function round() {
  const { learner, every } = trainee;
  if (!trainee.on || !learner) return;
  const begun = performance.now(), loss = await step(learner);
  if (!Number.isFinite(loss)) throw Error("The loss is no longer a number: press Reset to begin anew.");
  trainee.losses.push(loss);
  const { steps } = learner, done = learner.optimizer.steps % learner.recipe.steps === 0;
  if (done) trainee.on = false;
  else if (EARLY.includes(steps) || steps % every === 0) draw(QUICK);
  trainee.spent += performance.now() - begun;
  if (done || performance.now() - trainee.reported >= trainee.pace) report();
  if (done) draw(Infinity);
  bell.port2.postMessage(null);
}

/** @param {() => unknown} work */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    trainee.on = false;
    page.postMessage({ type: "error", id: trainee.id, message: /** @type {Error} */ (error).message });
  }
}

/** @param {HeardOfImages} data */
async function heard(data) {
  if (data.type === "serve") return serve(data.port);
  if (data.type === "team") return void (trainee.ports = data.ports);
  if (data.type === "time") {
    const learner = blank(data.recipe, data.about);
    return page.postMessage({ type: "timed", ms: await stepTime(learner), kind: learner.net.kind });
  }
  if (data.type === "begin") {
    Object.assign(trainee, { id: data.id, on: false, spent: 0, losses: [], look: data.look, learner: blank(data.recipe, data.about) });
    if (trainee.images) Object.assign(trainee.learner ?? {}, { images: trainee.images });
    if (data.file && trainee.learner) trainee.spent = 1000 * openTrained(trainee.learner, data.file).seconds;
    report();
    if (data.file) draw(Infinity);
    return;
  }
  const { learner } = trainee;
  if (!learner) throw Error("The training was lost when this page was left: press Reset to begin anew.");
  if (data.type === "data") {
    trainee.images = await unpack(data.images);
    Object.assign(trainee.learner ?? {}, { images: trainee.images, order: [] });
    real();
  } else if (data.type === "train" && !trainee.on) {
    Object.assign(trainee, { on: true, pace: data.pace, every: data.every, reported: performance.now() });
    await round();
  } else if (data.type === "pause") {
    trainee.on = false;
    report();
    draw(Infinity);
  } else if (data.type === "look") {
    trainee.look = data.look;
    draw(trainee.on ? QUICK : Infinity);
    real();
  } else if (data.type === "save") {
    const file = trainedFile(learner, trainee.spent / 1000), text = base64(file);
    page.postMessage({ type: "saved", id: trainee.id, file, text }, [file.buffer]);
  }
}

// One after another: images take a while to unpack, and a step that is shared a while to come back.
let before = Promise.resolve();
const queue = (/** @type {() => unknown} */ work) => (before = before.then(() => guarded(work)));
bell.port1.onmessage = () => queue(round);
/** @param {MessageEvent<HeardOfImages>} event */
page.onmessage = ({ data }) => queue(() => heard(data));

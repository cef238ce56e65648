"use strict";
// Several workers at one batch: each takes a share of its images, and their gradients are added in one order, whoever is first.

/** A learner with one blank image. @param {ImageRecipe} recipe @param {About} about */
const blank = (recipe, about) => new ImageLearner(recipe, { ...about, levels: 2, pixels: new Uint8Array(about.side ** 2), y: new Uint8Array(1) });

/** Share number i of n of a batch. @param {ImageBatch} batch @param {number} i @param {number} n @returns {ImageBatch} */
function share({ x0, y, t, eps }, i, n) {
  const size = x0.length / t.length, [from, to] = [i, i + 1].map((k) => Math.round((k * t.length) / n));
  const pixels = (/** @type {Float32Array} */ of) => of.slice(size * from, size * to);
  return { x0: pixels(x0), y: y.slice(from, to), t: t.slice(from, to), eps: pixels(eps) };
}

/** Answer every share that comes through a port, { weights, batch, of, recipe, about }, with its part of the loss and of the
 * gradient. @param {MessagePort} port */
function serve(port) {
  /** @type {ImageLearner | null} */
  let learner = null;
  port.onmessage = ({ data: { weights, batch, of, recipe, about } }) => {
    learner ??= blank(recipe, about);
    const { net } = learner;
    net.heap.f32.set(weights, net.weights);
    const loss = learner.loss(batch, of);
    weights.set(net.heap.f32.subarray(net.gradients, net.gradients + net.length));
    port.postMessage({ loss, gradient: weights }, [weights.buffer]);
  };
}

/** @param {ImageLearner} learner @param {Float32Array} gradient what another share has found */
function add({ net }, gradient) {
  const { f32 } = net.heap;
  for (let i = 0; i < net.length; i++) f32[net.gradients + i] += gradient[i];
}

/** One step of the learner on a batch, shared with those who serve at the other ends of the ports. Returns the loss before it.
 * @param {ImageLearner} learner @param {MessagePort[]} ports */
async function sharedStep(learner, ports, batch = learner.draw()) {
  const { net, recipe, images: { side, name, classes } } = learner, n = ports.length + 1, of = batch.x0.length;
  /** @type {Promise<{ loss: number, gradient: Float32Array }>[]} */
  const answers = ports.map((port, i) => new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
    const weights = net.heap.f32.slice(net.weights, net.weights + net.length);
    const job = { weights, batch: share(batch, i + 1, n), of, recipe, about: { side, name, classes } };
    port.postMessage(job, [weights.buffer]);
  }));
  let loss = learner.loss(share(batch, 0, n), of);
  for (const answer of answers) {
    const part = await answer;
    add(learner, part.gradient);
    loss += part.loss;
  }
  learner.update();
  return loss;
}

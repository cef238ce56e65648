"use strict";
// Weights by torch's names: a fresh network as torch makes it, and the way to Python and back (ddpm_lib/web/learned.py).

const LEARNED = "ddpm_lib/mlp/1";

/** @typedef {{ format: string, config: MlpConfig, schedule: { name: string, beta: string }, step: number,
 *   seconds: number, tensors: { name: string, shape: number[], data: string }[] }} Learned */

/** Float32 or Float64 numbers in base64. @param {Float32Array | Float64Array} values */
const packed = (values) => btoa(Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), (b) => String.fromCharCode(b)).join(""));
/** @param {string} text @returns {ArrayBuffer} */
const unpacked = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

/** The layers in torch's order, each once, as [name, rows, columns, parts]: a part is a layer of the engine and the
 * column where it begins. @param {Mlp} net @returns {[string, number, number, [Linear, number][]][]} */
function entries(net) {
  const { time, mix, hidden, last } = net.layers, { dim, width } = net.config;
  /** @type {(layer: Linear) => [string, number, number, [Linear, number][]]} */
  const one = (layer) => [layer.name, layer.out, layer.in, [[layer, 0]]];
  return [...time.map(one), ["net.0.0", width, dim + width, [[mix[1], 0], [mix[0], dim]]], ...hidden.map(one), one(last)];
}

/** Write a matrix or a bias into a block. @param {Mlp} net @param {number} block
 * @param {(name: string, shape: number[]) => Float32Array} values */
function fillBlock(net, block, values) {
  const { f32 } = net.heap;
  for (const [name, rows, columns, parts] of entries(net)) {
    const w = values(`${name}.weight`, [rows, columns]), b = values(`${name}.bias`, [rows]);
    for (const [layer, first] of parts)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < layer.in; j++) f32[block + layer.at + i * layer.ins + j] = w[i * columns + first + j];
        if (layer.bias) f32[block + layer.at + layer.ins * layer.outs + i] = b[i];
      }
  }
}

/** A block's tensors by name. @param {Mlp} net @param {number} block */
function tensorsOf(net, block) {
  const { f32 } = net.heap;
  return entries(net).flatMap(([name, rows, columns, parts]) => {
    const w = new Float32Array(rows * columns), b = new Float32Array(rows);
    for (const [layer, first] of parts)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < layer.in; j++) w[i * columns + first + j] = f32[block + layer.at + i * layer.ins + j];
        if (layer.bias) b[i] = f32[block + layer.at + layer.ins * layer.outs + i];
      }
    return [{ name: `${name}.weight`, shape: [rows, columns], data: w }, { name: `${name}.bias`, shape: [rows], data: b }];
  });
}

/** Fresh weights: those that torch gives the same network after torch.manual_seed(seed), uniform up to one over the root
 * of a layer's inputs; the last layer begins at zero. @param {Mlp} net @param {Normal} random */
function freshWeights(net, random) {
  let bound = 0;
  const last = net.layers.last.name;
  fillBlock(net, net.weights, (name, shape) => {
    if (shape.length === 2) bound = Math.fround(1 / Math.sqrt(shape[1]));
    const drawn = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => ((random.bits() & 0xffffff) / 2 ** 24) * (2 * bound) - bound);
    return name.startsWith(`${last}.`) ? drawn.fill(0) : drawn;
  });
  copyToAverage(net);
}

/** @param {Mlp} net */
const copyToAverage = ({ heap, weights, average, length }) => heap.f32.copyWithin(average, weights, weights + length);

/** The averaged network for Python. @param {Mlp} net @param {{ name: string, beta: Float64Array }} schedule
 * @param {number} step @param {number} seconds @returns {Learned} */
const learnedOf = (net, schedule, step, seconds) => ({
  format: LEARNED, config: net.config, schedule: { name: schedule.name, beta: packed(schedule.beta) }, step, seconds,
  tensors: tensorsOf(net, net.average).map(({ name, shape, data }) => ({ name, shape, data: packed(data) })),
});

/** Weights of Python or of an earlier visit, where they fit. @param {Mlp} net @param {Learned} learned */
function loadLearned(net, learned) {
  const known = new Map(learned.tensors.map(({ name, data }) => [name, new Float32Array(unpacked(data))]));
  fillBlock(net, net.weights, (name, shape) => {
    const data = known.get(name);
    if (data?.length !== shape.reduce((a, b) => a * b) || !data.every(Number.isFinite))
      throw Error(`The file of weights lacks ${name} of shape ${shape.join(" by ")}: choose a file that this page or Python wrote.`);
    return data;
  });
  copyToAverage(net);
}

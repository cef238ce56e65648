"use strict";
// An image network's weights by torch's names: a fresh network as torch makes it, and the file that ddpm_lib.load reads.

/** Where number j of a tensor, as torch counts, lies in a block. @param {Conv | Norm | Label} layer @param {string} part
 * @returns {(j: number) => number} */
function placesOf(layer, part) {
  if (layer.kind === "label") return (j) => layer.at + j;
  if (layer.kind === "norm") return (j) => layer.at + j + (part === "bias" ? layer.c : 0);
  const { at, size, in: c, out } = layer, taps = size * size, k = taps * c;
  if (part === "bias") return (j) => at + k * out + j;
  return (j) => {
    const o = Math.floor(j / k), i = Math.floor((j % k) / taps);
    return at + (o >> 3) * 8 * k + 8 * ((j % taps) * c + i) + (o & 7);
  };
}

/** The tensors in torch's order: name, shape, layer, and their places. @param {Denoiser} net */
const tensorList = (net) => [...net.layers.values()].flatMap((layer) =>
  (layer.kind === "label" ? ["weight"] : ["weight", "bias"]).map((part) => ({
    name: `${layer.name}.${part}`, layer, place: placesOf(layer, part), shape: part === "bias" ? layer.shape.slice(0, 1) : layer.shape,
  })));

/** @param {number[]} shape */
const sizeOf = (shape) => shape.reduce((a, b) => a * b);

/** Write tensors into a block. @param {Denoiser} net @param {number} block
 * @param {(name: string, shape: number[], layer: Conv | Norm | Label) => Float32Array} values */
function fillTensors(net, block, values) {
  for (const { name, shape, layer, place } of tensorList(net))
    values(name, shape, layer).forEach((v, j) => (net.heap.f32[block + place(j)] = v));
}

/** A block's tensors by name. @param {Denoiser} net @param {number} block */
const readTensors = (net, block) => tensorList(net).map(({ name, shape, place }) =>
  ({ name, shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, j) => net.heap.f32[block + place(j)]) }));

/** Fresh weights: those that torch gives the same network after torch.manual_seed(seed). @param {Denoiser} net
 * @param {Normal} random */
function freshTensors(net, random) {
  fillTensors(net, net.weights, (name, shape, layer) => {
    const n = sizeOf(shape);
    if (layer.kind === "label") return random.draw(n);
    if (layer.kind === "norm") return new Float32Array(n).fill(name.endsWith("weight") ? 1 : 0);
    // Uniform up to one over the root of a layer's inputs; the last of a residual branch begins at zero.
    const bound = Math.fround(1 / Math.sqrt(layer.in * layer.size ** 2));
    const drawn = Float32Array.from({ length: n }, () => ((random.bits() & 0xffffff) / 2 ** 24) * (2 * bound) - bound);
    return layer.zero ? drawn.fill(0) : drawn;
  });
  net.heap.f32.copyWithin(net.average, net.weights, net.weights + net.length);
}

/** A file in the format safetensors: the length of a header, the header as JSON, then the numbers.
 * @param {Record<string, string>} metadata
 * @param {{ name: string, shape: number[], data: Float32Array | Float64Array }[]} tensors @returns {Uint8Array<ArrayBuffer>} */
function safetensors(metadata, tensors) {
  /** @type {Record<string, unknown>} */
  const header = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, data } of tensors)
    header[name] = { dtype: data instanceof Float64Array ? "F64" : "F32", shape, data_offsets: [end, (end += data.byteLength)] };
  const json = new TextEncoder().encode(JSON.stringify(header)), start = 8 + roundUp(8, json.length);
  const file = new Uint8Array(start + end).fill(32, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(json, 8);
  tensors.reduce((at, { data }) => (file.set(new Uint8Array(data.buffer), at), at + data.byteLength), start);
  return file;
}

/** The averaged network as ddpm_lib/models/trained.py exports one. @param {ImageLearner} learner @param {number} seconds */
function trainedFile({ net, recipe, beta, steps, about }, seconds) {
  const { config, schedule, T, ...train } = recipe;
  const header = { model: ["unet", config], schedule, train, about, step: steps, seconds };
  const weights = readTensors(net, net.average).map(({ name, ...rest }) => ({ name: `ema.${name}`, ...rest }));
  return safetensors({ format: "ddpm_lib/1", config: JSON.stringify(header) },
    [{ name: "schedule.beta", shape: [T + 1], data: beta }, ...weights]);
}

const NOT_OURS = "This file holds no network of this page: choose a file that this page saved.";

/** Take the averaged network of such a file, of the same configuration: it can be drawn with, and trained further.
 * @param {ImageLearner} learner @param {Uint8Array<ArrayBuffer>} file @returns {{ step: number, seconds: number }} */
function openTrained(learner, file) {
  const { net, recipe } = learner;
  try {
    const start = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, start)));
    const { model: [kind, config], step, seconds } = JSON.parse(header.__metadata__.config);
    /** @param {Record<string, unknown>} c */
    const settings = (c) => JSON.stringify(Object.entries(c).filter(([name]) => name !== "dropout").sort());
    if (kind !== "unet" || settings(config) !== settings(recipe.config) || !(step >= 0 && seconds >= 0)) throw Error(NOT_OURS);
    /** @type {Map<string, Float32Array>} */
    const read = new Map();
    for (const { name, shape } of tensorList(net)) {
      const { dtype, data_offsets: [from, to] } = header[`ema.${name}`], values = new Float32Array(file.slice(start + from, start + to).buffer);
      if (dtype !== "F32" || values.length !== sizeOf(shape) || !values.every(Number.isFinite)) throw Error(NOT_OURS);
      read.set(name, values);
    }
    fillTensors(net, net.weights, (name) => /** @type {Float32Array} */ (read.get(name)));
    net.heap.f32.copyWithin(net.average, net.weights, net.weights + net.length);
    learner.optimizer.forget();
    learner.first = step;
    return { step, seconds };
  } catch {
    throw Error(NOT_OURS);
  }
}

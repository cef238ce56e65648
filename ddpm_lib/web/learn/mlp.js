"use strict";
// The MLP of ddpm_lib/models/mlp.py, forward and backward. The time's features depend on t alone, so they are worked out
// once for each time of a batch and not for each of its points: the first hidden layer is split into what x adds and
// what t adds.

/** @typedef {{ dim: number, width: number, layers: number, predicts: string }} MlpConfig */

const TIME_FEATURES = 32;
const FREQUENCIES = Float32Array.from({ length: 16 }, (_, i) => Math.exp(Math.fround(-Math.log(10000)) * (i / 16)));

/** The features of a time, worked out once: cosines, then sines. @type {Map<number, Float32Array>} */
const WAVES = new Map();
/** @param {number} t @returns {Float32Array} */
function wavesOf(t) {
  const known = WAVES.get(t);
  if (known) return known;
  const angles = FREQUENCIES.map((f) => Math.fround(t) * f), waves = new Float32Array(TIME_FEATURES);
  waves.set(angles.map(Math.cos));
  waves.set(angles.map(Math.sin), TIME_FEATURES / 2);
  WAVES.set(t, waves);
  return waves;
}

/** The layers in the order of computation, and the length of their block. @param {MlpConfig} config */
function layersOf({ dim, width, layers }) {
  let at = 0;
  const linear = (/** @type {string} */ name, /** @type {number} */ into, /** @type {number} */ out, bias = true) => {
    const [ins, outs] = [roundUp(8, into), roundUp(8, out)], layer = { name, in: into, out, bias, ins, outs, at };
    at += ins * outs + outs;
    return layer;
  };
  const time = [linear("time.mlp.0", TIME_FEATURES, width), linear("time.mlp.2", width, width)];
  const mix = [linear("net.0.0", width, width), linear("net.0.0", dim, width, false)]; // t's part, with the bias; x's part
  const hidden = Array.from({ length: layers - 1 }, (_, i) => linear(`net.${i + 1}.0`, width, width));
  const last = linear(`net.${layers}`, width, dim);
  return { time, mix, hidden, last, length: at };
}

class Mlp {
  /** @param {MlpConfig} config @param {number} batch points that it is trained on at once
   * @param {boolean} plain whether to do without WebAssembly */
  constructor(config, batch, plain = false) {
    const { heap, product, silu, kind } = fastestProduct(plain);
    this.config = config;
    this.heap = heap;
    this.kind = kind;
    this.silu = silu;
    this.siluBackward = silu && simdSiluBackward(heap);
    this.layers = layersOf(config);
    const { time, mix, hidden, last, length } = this.layers;
    this.all = [...time, ...mix, ...hidden, last];
    this.length = length;
    this.ones = heap.zeros(8);
    this.zeros = heap.zeros(8);
    this.constants = heap.alloc(CONSTANTS.length);
    heap.f32.fill(1, this.ones, this.ones + 8);
    heap.f32.set(CONSTANTS, this.constants);
    // Three blocks: the weights in training, their gradient and their running average.
    this.weights = heap.zeros(length);
    this.gradients = heap.zeros(length);
    this.average = heap.zeros(length);
    this.panels = new Panels8(heap, product, this.all.flatMap((layer) => [layer.outs, layer.ins]), Math.ceil(batch / 8));
    this.mark = heap.top; // what lies above is freed at every forward pass
  }

  /** silu(x). @param {Batch} x @returns {Batch} */
  activate(x) {
    const y = this.panels.batch(x.features, x.count), length = 8 * x.features * x.count, { f32 } = this.heap;
    if (this.silu) this.silu(y.at, x.at, length / 8, 8, this.ones, this.zeros, this.constants);
    else for (let i = 0; i < length; i++) f32[y.at + i] = f32[x.at + i] / (1 + Math.exp(-f32[x.at + i]));
    return y;
  }

  /** dx = dx silu'(x), in place. @param {Batch} dx @param {Batch} x */
  activateBackward(dx, x) {
    const length = 8 * x.features * x.count, { f32 } = this.heap;
    if (this.siluBackward) return this.siluBackward(dx.at, x.at, length, this.constants);
    for (let i = 0; i < length; i++) {
      const v = f32[x.at + i], s = 1 / (1 + Math.exp(-v));
      f32[dx.at + i] *= s * (1 + v * (1 - s));
    }
  }

  /** Points in eights. @param {Float32Array} values `width` numbers a point @param {number} width @param {number} features */
  place(values, width, features) {
    const count = Math.ceil(values.length / width / 8), x = this.panels.batch(features, count), { f32 } = this.heap;
    f32.fill(0, x.at, x.at + 8 * features * count);
    for (let i = 0; i < values.length; i++) {
      const point = Math.floor(i / width);
      f32[x.at + 8 * ((point >> 3) * features + (i % width)) + (point & 7)] = values[i];
    }
    return x;
  }

  /** The output at points x (x y x y ...) of times t, one a point, with the weights of a block. What `backward` needs
   * stays in the heap until the next call. @param {number} block @param {Float32Array} x @param {Int32Array} t
   * @returns {Float32Array} */
  forward(block, x, t) {
    const { panels, layers, config, heap } = this, { time, mix, hidden, last } = layers;
    heap.top = this.mark;
    /** @type {number[]} */
    const times = [], places = new Map(), which = new Int32Array(t.length);
    for (let i = 0; i < t.length; i++) {
      if (!places.has(t[i])) places.set(t[i], times.push(t[i]) - 1);
      which[i] = places.get(t[i]);
    }
    const waves = new Float32Array(TIME_FEATURES * times.length);
    times.forEach((value, i) => waves.set(wavesOf(value), TIME_FEATURES * i));
    const embedded = this.place(waves, TIME_FEATURES, TIME_FEATURES);
    const first = panels.forward(block, time[0], embedded), lit = this.activate(first);
    const features = panels.forward(block, time[1], lit), share = panels.forward(block, mix[0], features);
    const input = this.place(x, config.dim, mix[1].ins);
    const z = this.spread(share, which, input.count);
    panels.multiply(z, block + mix[1].at, input);
    const trace = [{ layer: mix[1], x: input, z, y: this.activate(z) }];
    for (const layer of hidden) {
      const { y } = trace[trace.length - 1], z = panels.forward(block, layer, y);
      trace.push({ layer, x: y, z, y: this.activate(z) });
    }
    const { y } = trace[trace.length - 1], output = panels.forward(block, last, y);
    this.kept = { embedded, first, lit, features, share, which, trace, y };
    const answer = new Float32Array(x.length), { f32 } = heap;
    for (let i = 0; i < answer.length; i++) {
      const point = Math.floor(i / config.dim);
      answer[i] = f32[output.at + 8 * ((point >> 3) * last.outs + (i % config.dim)) + (point & 7)];
    }
    return answer;
  }

  /** For each point the features of its time. @param {Batch} share @param {Int32Array} which @param {number} count */
  spread(share, which, count) {
    const z = this.panels.batch(share.features, count), { f32 } = this.heap, size = share.features;
    for (let point = 0; point < 8 * count; point++) {
      const time = which[point] ?? 0;
      let from = share.at + 8 * (time >> 3) * size + (time & 7), to = z.at + 8 * (point >> 3) * size + (point & 7);
      for (let i = 0; i < size; i++, from += 8, to += 8) f32[to] = f32[from];
    }
    return z;
  }

  /** For each time the sum over its points. @param {Batch} dz @param {Batch} share @param {Int32Array} which */
  gather(dz, share, which) {
    const sum = this.panels.batch(share.features, share.count), { f32 } = this.heap, size = share.features;
    f32.fill(0, sum.at, sum.at + 8 * size * sum.count);
    for (let point = 0; point < which.length; point++) {
      const time = which[point];
      let to = sum.at + 8 * (time >> 3) * size + (time & 7), from = dz.at + 8 * (point >> 3) * size + (point & 7);
      for (let i = 0; i < size; i++, from += 8, to += 8) f32[to] += f32[from];
    }
    return sum;
  }

  /** The gradient of a loss whose gradient in the last forward pass' output is `slope`, into the block `gradients`.
   * @param {Float32Array} slope */
  backward(slope) {
    const { panels, layers, weights, gradients, config, kept } = this;
    if (!kept) throw Error("There is no forward pass to go back through: call forward first.");
    const { time, mix, last } = layers;
    let dy = this.place(slope, config.dim, last.outs);
    panels.toWeights(gradients, last, kept.y, dy);
    dy = panels.toInput(weights, last, dy);
    for (const { layer, x, z } of kept.trace.toReversed()) {
      this.activateBackward(dy, z);
      panels.toWeights(gradients, layer, x, dy);
      if (layer !== mix[1]) dy = panels.toInput(weights, layer, dy);
    }
    dy = this.gather(dy, kept.share, kept.which);
    panels.toWeights(gradients, mix[0], kept.features, dy);
    dy = panels.toInput(weights, mix[0], dy);
    panels.toWeights(gradients, time[1], kept.lit, dy);
    dy = panels.toInput(weights, time[1], dy);
    this.activateBackward(dy, kept.first);
    panels.toWeights(gradients, time[0], kept.embedded, dy);
  }
}

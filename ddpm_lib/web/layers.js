"use strict";
// The layers of the U-Net: convolution, GroupNorm, activation, on feature maps in the heap.

/**
 * A tensor of weights, as torch lays it out.
 * @typedef {{ shape: number[], data: Float32Array }} Tensor
 *
 * One factor and one summand a channel.
 * @typedef {{ scale: Float32Array, shift: Float32Array }} Affine
 */

/** The sigmoid at -16, -16 + 1/256, ... 16. To interpolate is 3 times as fast as Math.exp, and 2e-7 off at most. */
const SIGMOID = Float32Array.from({ length: 32 * 256 + 1 }, (_, i) => 1 / (1 + Math.exp(16 - i / 256)));
const silu = (/** @type {number} */ v) => {
  if (!(v > -16 && v < 16)) return v < 0 ? 0 : v;
  const place = 256 * (v + 16), i = place | 0;
  return v * (SIGMOID[i] + (place - i) * (SIGMOID[i + 1] - SIGMOID[i]));
};
/** One function for all activations, so that the compiler can put it into the loop. @param {string} act @param {number} v */
const activate = (act, v) => (act === "silu" ? silu(v) : act === "leaky_relu" && v < 0 ? 0.2 * v : v);
/** @type {(a: number, b: number) => number} */
const gcd = (a, b) => (b ? gcd(b, a % b) : a);
const plain = (/** @type {number} */ c) => ({ scale: new Float32Array(c).fill(1), shift: new Float32Array(c) });

const AGAIN = "export them again with the ddpm_lib that this page came from";

/** Layers by torch's name for them, with their weights packed for the matrix product. */
class Layers {
  /**
   * @param {Map<string, Tensor>} tensors @param {{ heap: Heap, product: Product, silu: Silu | null }} machine
   * @param {{ groups: number, activation: string }} config
   */
  constructor(tensors, { heap, product, silu }, { groups, activation }) {
    this.tensors = tensors;
    this.heap = heap;
    this.product = product;
    this.silu = silu;
    this.groups = groups;
    this.activation = activation;
    /** The names of the tensors that a forward pass has read. @type {Set<string>} */
    this.used = new Set();
    /** @type {Map<string, Panels>} */
    this.panels = new Map();
    for (const [name, tensor] of tensors)
      if (tensor.shape.length > 1) this.panels.set(name, this.packWeight(tensor));
    /** @type {Map<string, number>} */
    this.tables = new Map();
  }

  /**
   * A convolution of `size` x `size`, as a product of the windows of x with the weights: three taps a window, each
   * a run of three pixels. `onto` is a map and `time` a vector that are added. Size 1 is a linear layer on pixels.
   * @param {string} name @param {FeatureMap} x @param {number} size @param {number} stride
   * @param {FeatureMap | null} onto @param {Float32Array | null} time @returns {FeatureMap}
   */
  conv(name, x, size, stride = 1, onto = null, time = null) {
    const bias = this.parameter(`${name}.bias`).map((b, j) => b + (time ? time[j] : 0));
    this.parameter(`${name}.weight`);
    const { at, k, n } = /** @type {Panels} */ (this.panels.get(`${name}.weight`));
    if (k !== size * size * x.c) throw Error(`The weights of ${name} do not fit the network's configuration: ${AGAIN}.`);
    const h = x.h / stride, w = x.w / stride, wide = roundUp(8, n), m = roundUp(4, h * w);
    const out = this.heap.alloc(m * wide), { f32 } = this.heap;
    f32.set(bias, out);
    for (let done = 1; done < h * w; done *= 2) f32.copyWithin(out + done * wide, out, out + Math.min(done, h * w - done) * wide);
    for (let i = 0; i < h * w && onto; i++)
      for (let j = 0; j < n; j++) f32[out + i * wide + j] += f32[onto.at + i * n + j];
    this.product(out, x.at, this.table(h, w, size, stride), at, m, wide, size, size * x.c, x.c);
    for (let i = 1; i < h * w && wide > n; i++) f32.copyWithin(out + i * n, out + i * wide, out + i * wide + n);
    return { at: out, h, w, c: n };
  }

  /** GroupNorm of x as one factor and one summand a channel. @param {string} name @param {FeatureMap} x */
  norm(name, { at, h, w, c }) {
    const affine = plain(c), groups = gcd(c, this.groups), { f32 } = this.heap;
    if (!this.groups) return affine;
    const weight = this.parameter(`${name}.weight`), bias = this.parameter(`${name}.bias`);
    for (let first = 0, end = c / groups; first < c; first = end, end += c / groups) {
      let sum = 0, squares = 0;
      for (let p = at; p < at + h * w * c; p += c) {
        for (let i = first; i < end; i++) {
          const v = f32[p + i];
          sum += v;
          squares += v * v;
        }
      }
      const count = h * w * (end - first), mean = sum / count, variance = squares / count - mean ** 2; // in float64
      for (let i = first; i < end; i++) {
        affine.scale[i] = weight[i] / Math.sqrt(variance + 1e-5);
        affine.shift[i] = bias[i] - mean * affine.scale[i];
      }
    }
    return affine;
  }

  /** act(scale x + shift) in a frame of zeros, or without a frame.
   * @param {FeatureMap} x @param {Affine} affine @param {number} border 1 or 0 */
  dress(x, { scale, shift }, border = 1, act = this.activation) {
    const { h, w, c } = x, at = this.framed(h, w, c, border);
    if (this.silu && act === "silu" && c % 4 === 0) {
      const factors = [scale, shift, CONSTANTS].map((values) => {
        const place = this.heap.alloc(values.length);
        this.heap.f32.set(values, place);
        return place;
      });
      for (let row = 0; row < h; row++)
        this.silu(at + ((row + border) * (w + 2 * border) + border) * c, x.at + row * w * c, w, c, factors[0], factors[1], factors[2]);
      return { at, h, w, c };
    }
    const { f32 } = this.heap;
    for (let row = 0, from = x.at; row < h; row++) {
      let to = at + ((row + border) * (w + 2 * border) + border) * c;
      for (let column = 0; column < w; column++)
        for (let i = 0; i < c; i++) f32[to++] = activate(act, scale[i] * f32[from++] + shift[i]);
    }
    return { at, h, w, c };
  }

  /** A copy of x in a frame of zeros, each pixel repeated `up` times down and across. @param {FeatureMap} x */
  frame(x, up = 1) {
    const { c } = x, h = up * x.h, w = up * x.w, at = this.framed(h, w, c, 1);
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        const from = x.at + (Math.floor(row / up) * x.w + Math.floor(column / up)) * c;
        this.heap.f32.copyWithin(at + ((row + 1) * (w + 2) + column + 1) * c, from, from + c);
      }
    }
    return { at, h, w, c };
  }

  /** Zeros for h x w pixels and their frame. @param {number} h @param {number} w @param {number} c @param {number} border */
  framed(h, w, c, border) {
    return this.heap.zeros((h + 2 * border) * (w + 2 * border) * c);
  }

  /** The channels of a, then those of b. @param {FeatureMap} a @param {FeatureMap} b @returns {FeatureMap} */
  concat(a, b) {
    const c = a.c + b.c, at = this.heap.alloc(a.h * a.w * c), { f32 } = this.heap;
    for (let i = 0; i < a.h * a.w; i++) {
      f32.copyWithin(at + i * c, a.at + i * a.c, a.at + (i + 1) * a.c);
      f32.copyWithin(at + i * c + a.c, b.at + i * b.c, b.at + (i + 1) * b.c);
    }
    return { ...a, at, c };
  }

  /** Weights that are not a matrix. @param {string} name */
  parameter(name) {
    const tensor = this.tensors.get(name);
    if (!tensor) throw Error(`The weights lack ${name}: ${AGAIN}.`);
    this.used.add(name);
    return tensor.data;
  }

  /** A layer's weight as a matrix: a row for each input of a window, a column for each output channel.
   * @param {Tensor} tensor */
  packWeight({ shape: [n, c, size = 1], data }) {
    const taps = size * size, k = taps * c, at = this.heap.zeros(k * roundUp(8, n)), { f32 } = this.heap;
    for (let j = 0, from = 0; j < n; j++) {
      const column = at + (j >> 3) * 8 * k + (j & 7);
      for (let channel = 0; channel < c; channel++)
        for (let tap = 0; tap < taps; tap++) f32[column + 8 * (tap * c + channel)] = data[from++];
    }
    return { at, k, n };
  }

  /** Where the runs of every window begin, in pixels of the framed input: for h x w outputs, four windows a group.
   * @param {number} h @param {number} w @param {number} size @param {number} stride @returns {number} */
  table(h, w, size, stride) {
    const key = `${h} ${w} ${size} ${stride}`, known = this.tables.get(key);
    if (known !== undefined) return known;
    const m = roundUp(4, h * w), at = this.heap.alloc(m * size), { i32 } = this.heap, width = w * stride + size - 1;
    for (let i = 0; i < m; i++) {
      const pixel = Math.min(i, h * w - 1), y = Math.floor(pixel / w), x = pixel % w;
      for (let tap = 0; tap < size; tap++)
        i32[at + ((i >> 2) * size + tap) * 4 + (i & 3)] = (stride * y + tap) * width + stride * x;
    }
    this.tables.set(key, at);
    return at;
  }
}

"use strict";
// The layers of the U-Net: convolution, GroupNorm, activation, on feature maps in the heap.

/**
 * A tensor of weights, as torch lays it out.
 * @typedef {{ shape: number[], data: Float32Array }} Tensor
 *
 * One factor and one summand for each channel of each image: their places.
 * @typedef {{ scale: number, shift: number }} Affine
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
    this.channels = silu ? simdChannels(heap) : plainChannels(heap);
    this.tiles = silu ? simdTiles(heap) : plainTiles(heap);
    this.groups = groups;
    this.activation = activation;
    /** The names of the tensors that a forward pass has read. @type {Set<string>} */
    this.used = new Set();
    /** @type {Map<string, Panels>} */
    this.panels = new Map();
    for (const [name, tensor] of tensors)
      if (tensor.shape.length > 1) this.panels.set(name, this.packWeight(name, tensor));
    /** @type {Map<string, number>} */
    this.tables = new Map();
    this.constants = heap.put(CONSTANTS);
    const most = Math.max(...[...tensors.values()].map(({ shape }) => shape[0]));
    this.zeros = heap.put(Array(most).fill(0));
    this.ones = heap.put(Array(most).fill(1));
  }

  /**
   * A convolution of `size` x `size`, as a product of the windows of x with the weights: three taps a window, each
   * a run of three pixels. `onto` are maps that are added, and `time` is the place of a vector for each image. Size 1 is a
   * linear layer on pixels.
   * @param {string} name @param {FeatureMap} x @param {number} size @param {number} stride
   * @param {FeatureMap | null} onto @param {number} time or -1 @returns {FeatureMap}
   */
  conv(name, x, size, stride = 1, onto = null, time = -1) {
    const bias = this.parameter(`${name}.bias`);
    this.parameter(`${name}.weight`);
    const { at, k, n: c, tiled } = /** @type {Panels} */ (this.panels.get(`${name}.weight`)), { heap } = this;
    if (k !== size * size * x.c) throw Error(`The weights of ${name} do not fit the network's configuration: ${AGAIN}.`);
    const { n } = x, h = x.h / stride, w = x.w / stride, pixels = n * h * w, wide = roundUp(8, c), image = h * w * wide;
    const m = roundUp(4, pixels), out = heap.alloc(m * wide), { f32 } = heap;
    for (let begin = out; begin < out + n * image; begin += image) {
      f32.set(bias, begin);
      for (let i = begin; i < begin + c && time >= 0; i++) f32[i] += f32[time++];
      for (let done = wide; done < image; done *= 2) f32.copyWithin(begin + done, begin, begin + Math.min(done, image - done));
    }
    if (onto && wide === c) this.channels.line(out, onto.at, onto.at, pixels, c, this.ones, this.zeros, this.zeros);
    for (let i = 0; i < pixels && onto && wide > c; i++)
      for (let j = 0; j < c; j++) f32[out + i * wide + j] += f32[onto.at + i * c + j];
    if (tiled) winograd(this, out, x, at, wide, this.table(1, 1, tilesOf(x), 1, 1));
    else this.product(out, x.at, this.table(n, h, w, size, stride), at, m, wide, size, size * x.c, x.c);
    for (let i = 1; i < pixels && wide > c; i++) f32.copyWithin(out + i * c, out + i * wide, out + i * wide + c);
    return { at: out, n, h, w, c };
  }

  /** GroupNorm of x. `time` is the place of factors less 1, and behind them summands, for each image: they come last.
   * @param {string} name @param {FeatureMap} x @param {number} time or -1 @returns {Affine} */
  norm(name, { at, n, h, w, c }, time = -1) {
    const { heap } = this, scale = heap.alloc(n * c), shift = heap.alloc(n * c), { f32 } = heap;
    const each = c / gcd(c, this.groups), count = h * w * each;
    f32.fill(1, scale, scale + n * c);
    f32.fill(0, shift, shift + n * c);
    for (let a = scale, b = shift, x = at; a < scale + n * c; a += c, b += c, x += h * w * c) {
      if (this.groups) {
        const weight = this.parameter(`${name}.weight`), bias = this.parameter(`${name}.bias`);
        this.channels.sums(x, x, h * w, c, b, a);
        for (let first = 0; first < c; first += each) {
          let sum = 0, squares = 0;
          for (let i = first; i < first + each; i++) {
            sum += f32[b + i];
            squares += f32[a + i];
          }
          const mean = sum / count, over = 1 / Math.sqrt(squares / count - mean ** 2 + 1e-5);
          for (let i = first; i < first + each; i++) {
            f32[a + i] = weight[i] * over;
            f32[b + i] = bias[i] - mean * weight[i] * over;
          }
        }
      }
      for (let i = 0; i < c && time >= 0; i++, time++) {
        f32[a + i] *= 1 + f32[time];
        f32[b + i] = f32[b + i] * (1 + f32[time]) + f32[time + c];
      }
      if (time >= 0) time += c;
    }
    return { scale, shift };
  }

  /** act(scale x + shift) in a frame of zeros, or without a frame.
   * @param {FeatureMap} x @param {Affine} affine @param {number} border 1 or 0 */
  dress(x, { scale, shift }, border = 1, act = this.activation) {
    const { n, h, w, c } = x, at = this.framed(x, border), { f32 } = this.heap, width = border ? pitch(w) : w;
    for (let row = 0, from = x.at; row < n * h; row++, from += w * c) {
      const image = Math.floor(row / h), a = scale + image * c, b = shift + image * c;
      let to = at + ((image * (border ? pitch(h) : h) + (row % h) + border) * width + border) * c;
      if (this.silu && act === "silu" && c % 4 === 0) this.silu(to, from, w, c, a, b, this.constants);
      else if (act === "none") this.channels.line(to, from, from, w, c, a, this.zeros, b);
      else
        for (let p = from; p < from + w * c; p += c)
          for (let i = 0; i < c; i++) f32[to++] = activate(act, f32[a + i] * f32[p + i] + f32[b + i]);
    }
    return { at, n, h, w, c };
  }

  /** A copy of x in a frame of zeros, each pixel repeated `up` times down and across. @param {FeatureMap} x */
  frame({ at: begin, n, c, ...x }, up = 1) {
    const h = up * x.h, w = up * x.w, at = this.framed({ at: 0, n, h, w, c }, 1), { f32 } = this.heap;
    for (let row = 0; row < n * h; row++) {
      const to = at + ((Math.floor(row / h) * pitch(h) + (row % h) + 1) * pitch(w) + 1) * c, line = begin + Math.floor(row / up) * x.w * c;
      for (let column = 0; column < w; column++) {
        const from = line + Math.floor(column / up) * c;
        f32.copyWithin(to + column * c, from, from + c);
      }
    }
    return { at, n, h, w, c };
  }

  /** Zeros for pixels and their frame. @param {FeatureMap} x @param {number} border */
  framed({ n, h, w, c }, border) {
    return this.heap.zeros(n * (border ? pitch(h) * pitch(w) : h * w) * c);
  }

  /** The channels of a, then those of b. @param {FeatureMap} a @param {FeatureMap} b @returns {FeatureMap} */
  concat(a, b) {
    const c = a.c + b.c, pixels = a.n * a.h * a.w, at = this.heap.alloc(pixels * c), { f32 } = this.heap;
    for (let i = 0; i < pixels; i++) {
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

  /** A layer's weight as a matrix: a row for each input of a window, a column for each output channel. Where Winograd's
   * algorithm serves, 36 matrices, a row for each input channel.
   * @param {string} name @param {Tensor} tensor @returns {Panels} */
  packWeight(name, { shape: [n, c, size = 1], data }) {
    const taps = size * size, k = taps * c;
    if (size === 3 && c % 8 === 0 && n % 8 === 0 && !name.endsWith(".parts.0.conv.weight"))
      return { at: packFilters(this.heap, n, c, data), k, n, tiled: true }; // the other has stride 2
    const at = this.heap.zeros(k * roundUp(8, n)), { f32 } = this.heap;
    for (let j = 0, from = 0; j < n; j++) {
      const column = at + (j >> 3) * 8 * k + (j & 7);
      for (let channel = 0; channel < c; channel++)
        for (let tap = 0; tap < taps; tap++) f32[column + 8 * (tap * c + channel)] = data[from++];
    }
    return { at, k, n, tiled: false };
  }

  /** Where the runs of every window begin, in pixels of the framed input: for n times h x w outputs, four windows a group.
   * @param {number} n @param {number} h @param {number} w @param {number} size @param {number} stride @returns {number} */
  table(n, h, w, size, stride) {
    const key = `${n} ${h} ${w} ${size} ${stride}`, known = this.tables.get(key);
    if (known !== undefined) return known;
    const m = roundUp(4, n * h * w), at = this.heap.alloc(m * size), { i32 } = this.heap;
    const [high, wide] = [h, w].map((side) => (size > 1 ? pitch(stride * side) : side));
    for (let i = 0; i < m; i++) {
      const pixel = Math.min(i, n * h * w - 1), row = Math.floor(pixel / w), image = Math.floor(row / h);
      for (let tap = 0; tap < size; tap++)
        i32[at + ((i >> 2) * size + tap) * 4 + (i & 3)] = (image * high + stride * (row % h) + tap) * wide + stride * (pixel % w);
    }
    this.tables.set(key, at);
    return at;
  }
}

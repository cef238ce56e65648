"use strict";
// The U-Net of ddpm_lib/models, its forward pass, one image at a time. The names of the layers are torch's.

/**
 * UNetConfig of ddpm_lib/models/unet.py.
 * @typedef {{ channels: number, base: number, mults: number[], blocks: number, attention: number[], heads: number,
 *   groups: number, activation: string, scale_shift: boolean, fold: number, classes: number,
 *   predicts: string }} Config
 *
 * A tensor of weights, as torch lays it out.
 * @typedef {{ shape: number[], data: Float32Array }} Tensor
 *
 * A feature map in the heap: h x w pixels, and side by side the c channels of a pixel. A map that a convolution
 * is to read lies in a frame of zeros, one pixel wide, which h and w do not count.
 * @typedef {{ at: number, h: number, w: number, c: number }} FeatureMap
 *
 * One factor and one summand a channel.
 * @typedef {{ scale: Float32Array, shift: Float32Array }} Affine
 *
 * A matrix of k rows and n columns in panels of eight columns.
 * @typedef {{ at: number, k: number, n: number }} Panels
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
const upTo = (/** @type {number} */ multiple, /** @type {number} */ n) => Math.ceil(n / multiple) * multiple;
const plain = (/** @type {number} */ c) => ({ scale: new Float32Array(c).fill(1), shift: new Float32Array(c) });

const AGAIN = "export them again with the ddpm_lib that this page came from";

class UNet {
  /**
   * @param {Config} config @param {number[]} shape of one image: [c, h, w]
   * @param {Map<string, Tensor>} tensors
   * @param {{ heap: Heap, product: Product }} machine
   */
  constructor(config, shape, tensors, { heap, product }) {
    const { fold, mults } = config;
    const multiple = fold * 2 ** (mults.length - 1);
    if (shape[0] !== config.channels || shape[1] % multiple || shape[2] % multiple)
      throw Error(`Images of ${shape} do not fit: ${config.channels} channels, and sides divisible by ${multiple}, do.`);
    this.config = config;
    this.shape = shape;
    this.tensors = tensors;
    this.heap = heap;
    this.product = product;
    /** @type {Set<string>} */
    this.used = new Set();
    /** @type {Map<string, Panels>} */
    this.panels = new Map();
    for (const [name, tensor] of tensors)
      if (tensor.shape.length > 1) this.panels.set(name, this.packWeight(tensor));
    /** @type {Map<string, number>} */
    this.tables = new Map();
    this.table(1, 1, 1, 1);
    for (let level = 0; level < mults.length; level++) {
      const h = shape[1] / fold / 2 ** level, w = shape[2] / fold / 2 ** level;
      for (const [size, stride] of [[1, 1], [3, 1], [3, 2]]) this.table(h, w, size, stride);
    }
    this.floor = heap.top; // weights and tables stay below, feature maps come and go above
    this.forward(new Float32Array(shape[0] * shape[1] * shape[2]), 1, -1);
    const unknown = [...tensors.keys()].find((name) => !this.used.has(name));
    if (unknown) throw Error(`The layer ${unknown} is unknown to this engine: ${AGAIN}.`);
  }

  /** The output of the network for the image x_t (planar, as in torch); y = -1 is "no class".
   * @param {Float32Array} xt @param {number} t @param {number} y @returns {Float32Array} */
  forward(xt, t, y) {
    const { mults, blocks, attention } = this.config;
    this.heap.top = this.floor;
    const emb = this.embed(t, y);
    let h = this.conv("first", this.frame(this.unshuffle(xt)), 3);
    const skips = [h];
    let i = 0;
    for (let level = 0; level < mults.length; level++) {
      if (level) skips.push((h = this.conv(`down.${i++}.parts.0.conv`, this.frame(h), 3, 2)));
      for (let k = 0; k < blocks; k++) skips.push((h = this.stage(`down.${i++}`, h, emb, level)));
    }
    h = this.attend("middle.0.parts.1", this.residual("middle.0.parts.0", h, emb));
    h = this.residual("middle.1.parts.0", h, emb);
    i = 0;
    for (let level = mults.length - 1; level >= 0; level--) {
      for (let k = 0; k <= blocks; k++, i++) {
        h = this.stage(`up.${i}`, this.concat(h, /** @type {FeatureMap} */ (skips.pop())), emb, level);
        const part = attention.includes(level) ? 2 : 1;
        if (k === blocks && level) h = this.conv(`up.${i}.parts.${part}.conv`, this.frame(h, 2), 3);
      }
    }
    return this.shuffle(this.conv("last.2", this.dress(h, this.norm("last.0", h)), 3));
  }

  // -- blocks ------------------------------------------------------------------------------------------------------

  /** A residual block, and attention on the levels that have it.
   * @param {string} name @param {FeatureMap} x @param {FeatureMap} emb @param {number} level */
  stage(name, x, emb, level) {
    const h = this.residual(`${name}.parts.0`, x, emb);
    return this.config.attention.includes(level) ? this.attend(`${name}.parts.1`, h) : h;
  }

  /** skip(x) + conv(act(norm(conv(act(norm(x))) + time))), or with the time as scale and shift of the second norm.
   * @param {string} name @param {FeatureMap} x @param {FeatureMap} emb */
  residual(name, x, emb) {
    const mark = this.heap.top;
    const time = this.read(this.conv(`${name}.time`, emb, 1));
    const added = this.config.scale_shift ? null : time;
    const h = this.conv(`${name}.conv1`, this.dress(x, this.norm(`${name}.norm1`, x)), 3, 1, null, added);
    const affine = this.norm(`${name}.norm2`, h);
    for (let i = 0; i < h.c && !added; i++) {
      affine.scale[i] *= 1 + time[i];
      affine.shift[i] = affine.shift[i] * (1 + time[i]) + time[h.c + i];
    }
    const skip = this.tensors.has(`${name}.skip.weight`) ? this.conv(`${name}.skip`, x, 1) : x;
    return this.tidy(mark, this.conv(`${name}.conv2`, this.dress(h, affine), 3, 1, skip));
  }

  /** x + softmax(q k^T / sqrt(d)) v over the pixels, head by head. @param {string} name @param {FeatureMap} x */
  attend(name, x) {
    const mark = this.heap.top, { h, w, c } = x;
    const n = h * w, wide = upTo(8, n), d = c / this.config.heads;
    const qkv = this.conv(`${name}.qkv`, this.dress(x, this.norm(`${name}.norm`, x), 0, "none"), 1).at;
    const rows = this.table(h, w, 1, 1), mixed = { ...x, at: this.heap.alloc(n * c) };
    for (let head = 0; head < c; head += d) {
      /** @type {(pixel: number, i: number) => number} */
      const element = (pixel, i) => this.heap.f32[qkv + 3 * c * pixel + head + i];
      const keys = this.pack(d, n, (i, pixel) => element(pixel, c + i));
      const values = this.pack(n, d, (pixel, i) => element(pixel, 2 * c + i));
      const scores = this.zeros(upTo(4, n) * wide);
      this.product(scores, qkv + head, rows, keys.at, upTo(4, n), wide, 1, d, 3 * c);
      for (let i = scores; i < scores + n * wide; i += wide) softmax(this.heap.f32.subarray(i, i + n), d ** -0.5);
      const out = this.zeros(upTo(4, n) * upTo(8, d));
      this.product(out, scores, rows, values.at, upTo(4, n), upTo(8, d), 1, n, wide);
      for (let i = 0, from = out; i < n; i++, from += upTo(8, d))
        this.heap.f32.copyWithin(mixed.at + i * c + head, from, from + d);
    }
    return this.tidy(mark, this.conv(`${name}.out`, mixed, 1, 1, x));
  }

  /** act(the features of the time, and of the class): a map of one pixel. @param {number} t @param {number} y */
  embed(t, y) {
    const { base, classes } = this.config, half = base / 2;
    const angle = Array.from({ length: half }, (_, i) => t * Math.fround(Math.exp((-Math.log(10_000) * i) / half)));
    const waves = { at: this.heap.alloc(base), h: 1, w: 1, c: base };
    this.heap.f32.set([...angle.map(Math.cos), ...angle.map(Math.sin)], waves.at);
    const emb = this.conv("time.mlp.2", this.dress(this.conv("time.mlp.0", waves, 1), plain(4 * base), 0), 1);
    if (classes) {
      const label = this.parameter("label.weight"), row = emb.c * (y < 0 ? classes : y);
      for (let i = 0; i < emb.c; i++) this.heap.f32[emb.at + i] += label[row + i];
    }
    return this.dress(emb, plain(emb.c), 0);
  }

  // -- layers ------------------------------------------------------------------------------------------------------

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
    const h = x.h / stride, w = x.w / stride, wide = upTo(8, n), m = upTo(4, h * w);
    const out = this.heap.alloc(m * wide), { f32 } = this.heap;
    for (let i = 0; i < h * w; i++) f32.set(bias, out + i * wide);
    for (let i = 0; i < h * w && onto; i++)
      for (let j = 0; j < n; j++) f32[out + i * wide + j] += f32[onto.at + i * n + j];
    this.product(out, x.at, this.table(h, w, size, stride), at, m, wide, size, size * x.c, x.c);
    for (let i = 1; i < h * w && wide > n; i++) f32.copyWithin(out + i * n, out + i * wide, out + i * wide + n);
    return { at: out, h, w, c: n };
  }

  /** GroupNorm of x as one factor and one summand a channel. @param {string} name @param {FeatureMap} x */
  norm(name, { at, h, w, c }) {
    const affine = plain(c), groups = gcd(c, this.config.groups), { f32 } = this.heap;
    if (!this.config.groups) return affine;
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
  dress(x, { scale, shift }, border = 1, act = this.config.activation) {
    const { h, w, c } = x, at = this.framed(h, w, c, border), { f32 } = this.heap;
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
    return this.zeros((h + 2 * border) * (w + 2 * border) * c);
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

  /** fold x fold pixels become channels (torch's pixel_unshuffle). @param {Float32Array} image @returns {FeatureMap} */
  unshuffle(image) {
    const { fold } = this.config, [channels, height, width] = this.shape;
    const map = { at: this.heap.alloc(image.length), h: height / fold, w: width / fold, c: channels * fold ** 2 };
    this.folded((pixel, place) => (this.heap.f32[map.at + place] = image[pixel]));
    return map;
  }

  /** And back. @param {FeatureMap} map @returns {Float32Array} */
  shuffle(map) {
    const image = new Float32Array(map.h * map.w * map.c);
    this.folded((pixel, place) => (image[pixel] = this.heap.f32[map.at + place]));
    return image;
  }

  /** Calls `each` with the place of every pixel in the image and in its folded map.
   * @param {(pixel: number, place: number) => void} each */
  folded(each) {
    const { fold } = this.config, [channels, height, width] = this.shape;
    const w = width / fold, c = channels * fold ** 2;
    for (let channel = 0, pixel = 0; channel < channels; channel++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, pixel++) {
          const feature = channel * fold ** 2 + (y % fold) * fold + (x % fold);
          each(pixel, (Math.floor(y / fold) * w + Math.floor(x / fold)) * c + feature);
        }
  }

  // -- memory ------------------------------------------------------------------------------------------------------

  /** Frees all that lies above `mark`, save x. @param {number} mark @param {FeatureMap} x @returns {FeatureMap} */
  tidy(mark, x) {
    const length = x.h * x.w * x.c;
    this.heap.f32.copyWithin(mark, x.at, x.at + length);
    this.heap.top = mark;
    return { ...x, at: this.heap.alloc(length) };
  }

  /** @param {number} n @returns {number} the place of n zeros */
  zeros(n) {
    const at = this.heap.alloc(n);
    this.heap.f32.fill(0, at, at + n);
    return at;
  }

  /** A copy of a map's numbers. @param {FeatureMap} x */
  read({ at, h, w, c }) {
    return this.heap.f32.slice(at, at + h * w * c);
  }

  /** Weights that are not a matrix. @param {string} name */
  parameter(name) {
    const tensor = this.tensors.get(name);
    if (!tensor) throw Error(`The weights lack ${name}: ${AGAIN}.`);
    this.used.add(name);
    return tensor.data;
  }

  /** A k x n matrix in panels of eight columns. @param {number} k @param {number} n
   * @param {(i: number, j: number) => number} element @returns {Panels} */
  pack(k, n, element) {
    const at = this.zeros(k * upTo(8, n)), { f32 } = this.heap;
    for (let j = 0; j < n; j++)
      for (let i = 0; i < k; i++) f32[at + (j >> 3) * 8 * k + 8 * i + (j & 7)] = element(i, j);
    return { at, k, n };
  }

  /** A layer's weight as a matrix: a row for each input of a window, a column for each output channel.
   * @param {Tensor} tensor */
  packWeight({ shape: [n, c, size = 1], data }) {
    return this.pack(size * size * c, n, (i, j) => data[(j * c + (i % c)) * size * size + Math.floor(i / c)]);
  }

  /** Where the runs of every window begin, in pixels of the framed input: for h x w outputs, four windows a group.
   * @param {number} h @param {number} w @param {number} size @param {number} stride @returns {number} */
  table(h, w, size, stride) {
    const key = `${h} ${w} ${size} ${stride}`, known = this.tables.get(key);
    if (known !== undefined) return known;
    const m = upTo(4, h * w), at = this.heap.alloc(m * size), { i32 } = this.heap, width = w * stride + size - 1;
    for (let i = 0; i < m; i++) {
      const pixel = Math.min(i, h * w - 1), y = Math.floor(pixel / w), x = pixel % w;
      for (let tap = 0; tap < size; tap++)
        i32[at + ((i >> 2) * size + tap) * 4 + (i & 3)] = (stride * y + tap) * width + stride * x;
    }
    this.tables.set(key, at);
    return at;
  }
}

/** exp(scale v) / sum, in place. @param {Float32Array} v @param {number} scale */
function softmax(v, scale) {
  const most = v.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] = Math.exp(scale * (v[i] - most));
  for (let i = 0; i < v.length; i++) v[i] /= sum;
}

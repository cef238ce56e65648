"use strict";
// The U-Net of ddpm_lib/models, its forward pass, one image at a time. The names of the layers are torch's.

/**
 * UNetConfig of ddpm_lib/models/unet.py.
 * @typedef {{ channels: number, base: number, mults: number[], blocks: number, attention: number[], heads: number,
 *   groups: number, activation: string, scale_shift: boolean, fold: number, classes: number,
 *   predicts: string }} Config
 */

class UNet extends Layers {
  /**
   * @param {Config} config @param {number[]} shape of one image: [c, h, w]
   * @param {Map<string, Tensor>} tensors
   * @param {{ heap: Heap, product: Product, silu: Silu | null }} machine
   */
  constructor(config, shape, tensors, machine) {
    const { fold, mults } = config;
    const multiple = fold * 2 ** (mults.length - 1);
    if (shape[0] !== config.channels || shape[1] % multiple || shape[2] % multiple)
      throw Error(`Images of ${shape} do not fit: ${config.channels} channels, and sides divisible by ${multiple}, do.`);
    super(tensors, machine, config);
    this.config = config;
    this.shape = shape;
    this.table(1, 1, 1, 1);
    for (let level = 0; level < mults.length; level++) {
      const h = shape[1] / fold / 2 ** level, w = shape[2] / fold / 2 ** level;
      for (const [size, stride] of [[1, 1], [3, 1], [3, 2]]) this.table(h, w, size, stride);
    }
    this.floor = this.heap.top; // weights and tables stay below, feature maps come and go above
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
    const time = this.heap.read(this.conv(`${name}.time`, emb, 1));
    const added = this.config.scale_shift ? null : time;
    const h = this.conv(`${name}.conv1`, this.dress(x, this.norm(`${name}.norm1`, x)), 3, 1, null, added);
    const affine = this.norm(`${name}.norm2`, h);
    for (let i = 0; i < h.c && !added; i++) {
      affine.scale[i] *= 1 + time[i];
      affine.shift[i] = affine.shift[i] * (1 + time[i]) + time[h.c + i];
    }
    const skip = this.tensors.has(`${name}.skip.weight`) ? this.conv(`${name}.skip`, x, 1) : x;
    return this.heap.tidy(mark, this.conv(`${name}.conv2`, this.dress(h, affine), 3, 1, skip));
  }

  /** x + softmax(q k^T / sqrt(d)) v over the pixels, head by head. @param {string} name @param {FeatureMap} x */
  attend(name, x) {
    const mark = this.heap.top, { h, w, c } = x;
    const n = h * w, wide = roundUp(8, n), d = c / this.config.heads;
    const qkv = this.conv(`${name}.qkv`, this.dress(x, this.norm(`${name}.norm`, x), 0, "none"), 1).at;
    const rows = this.table(h, w, 1, 1), mixed = { ...x, at: this.heap.alloc(n * c) };
    for (let head = 0; head < c; head += d) {
      /** @type {(pixel: number, i: number) => number} */
      const element = (pixel, i) => this.heap.f32[qkv + 3 * c * pixel + head + i];
      const keys = this.heap.pack(d, n, (i, pixel) => element(pixel, c + i));
      const values = this.heap.pack(n, d, (pixel, i) => element(pixel, 2 * c + i));
      const scores = this.heap.zeros(roundUp(4, n) * wide);
      this.product(scores, qkv + head, rows, keys.at, roundUp(4, n), wide, 1, d, 3 * c);
      for (let i = scores; i < scores + n * wide; i += wide) softmax(this.heap.f32.subarray(i, i + n), d ** -0.5);
      const out = this.heap.zeros(roundUp(4, n) * roundUp(8, d));
      this.product(out, scores, rows, values.at, roundUp(4, n), roundUp(8, d), 1, n, wide);
      for (let i = 0, from = out; i < n; i++, from += roundUp(8, d))
        this.heap.f32.copyWithin(mixed.at + i * c + head, from, from + d);
    }
    return this.heap.tidy(mark, this.conv(`${name}.out`, mixed, 1, 1, x));
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
}

/** exp(scale v) / sum, in place. @param {Float32Array} v @param {number} scale */
function softmax(v, scale) {
  const most = v.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] = Math.exp(scale * (v[i] - most));
  for (let i = 0; i < v.length; i++) v[i] /= sum;
}

"use strict";
// The U-Net of ddpm_lib/models, its forward pass. The names of the layers are torch's.

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
    this.floor = this.heap.top; // weights and tables stay below, feature maps come and go above
    /** How many images there are tables for. @type {Set<number>} */
    this.known = new Set();
    this.forward(new Float32Array(shape[0] * shape[1] * shape[2]), 1, [-1]);
    const unknown = [...tensors.keys()].find((name) => !this.used.has(name));
    if (unknown) throw Error(`The layer ${unknown} is unknown to this engine: ${AGAIN}.`);
  }

  /** The tables of all layers, for n images. @param {number} n */
  prepare(n) {
    const { shape, config: { fold, mults } } = this;
    this.heap.top = this.floor;
    this.table(1, 1, n, 1, 1);
    for (let level = 0; level < mults.length; level++) {
      const h = shape[1] / fold / 2 ** level, w = shape[2] / fold / 2 ** level;
      for (const [size, stride] of [[1, 1], [3, 1], [3, 2]]) this.table(n, h, w, size, stride);
      this.table(1, h, w, 1, 1);
      this.table(1, 1, tilesOf({ n, h, w }), 1, 1);
    }
    this.floor = this.heap.top;
    this.known.add(n);
  }

  /** The outputs of the network for images x_t of the classes ys (planar, as in torch); -1 is "no class".
   * @param {Float32Array} xt @param {number} t @param {number[]} ys @returns {Float32Array} */
  forward(xt, t, ys) {
    const { mults, blocks, attention } = this.config;
    if (!this.known.has(ys.length)) this.prepare(ys.length);
    this.heap.top = this.floor;
    const emb = this.embed(t, ys);
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
    const time = this.conv(`${name}.time`, emb, 1).at, scaled = this.config.scale_shift;
    const h = this.conv(`${name}.conv1`, this.dress(x, this.norm(`${name}.norm1`, x)), 3, 1, null, scaled ? -1 : time);
    const affine = this.norm(`${name}.norm2`, h, scaled ? time : -1);
    const skip = this.tensors.has(`${name}.skip.weight`) ? this.conv(`${name}.skip`, x, 1) : x;
    return this.heap.tidy(mark, this.conv(`${name}.conv2`, this.dress(h, affine), 3, 1, skip));
  }

  /** x + softmax(q k^T / sqrt(d)) v over the pixels, head by head. @param {string} name @param {FeatureMap} x */
  attend(name, x) {
    const { heap } = this, mark = heap.top, { c } = x, n = x.h * x.w, wide = roundUp(8, n), d = c / this.config.heads;
    const qkv = this.conv(`${name}.qkv`, this.dress(x, this.norm(`${name}.norm`, x), 0, "none"), 1).at;
    const rows = this.table(1, x.h, x.w, 1, 1), mixed = { ...x, at: heap.alloc(roundUp(4, x.n * n) * c) }, room = heap.top;
    for (let part = 0; part < x.n * c; part += d) {
      const image = Math.floor(part / c), head = part % c, at = qkv + 3 * c * n * image + head;
      const keys = heap.panels(d, n, at + c, 1, 3 * c), values = heap.panels(n, d, at + 2 * c, 3 * c, 1);
      const scores = heap.zeros(roundUp(4, n) * wide), out = heap.zeros(roundUp(4, n) * roundUp(8, d)), { f32 } = heap;
      this.product(scores, at, rows, keys, roundUp(4, n), wide, 1, d, 3 * c);
      for (let i = scores; i < scores + n * wide; i += wide) softmax(f32, i, n, d ** -0.5);
      this.product(out, scores, rows, values, roundUp(4, n), roundUp(8, d), 1, n, wide);
      for (let i = 0, from = out, to = mixed.at + n * c * image + head; i < n; i++, from += roundUp(8, d), to += c)
        f32.copyWithin(to, from, from + d);
      heap.top = room;
    }
    return heap.tidy(mark, this.conv(`${name}.out`, mixed, 1, 1, x));
  }

  /** act(the features of the time, and of the class): a pixel for each image. @param {number} t @param {number[]} ys */
  embed(t, ys) {
    const { base, classes } = this.config, half = base / 2, { heap } = this, n = ys.length;
    const angle = Array.from({ length: half }, (_, i) => t * Math.fround(Math.exp((-Math.log(10_000) * i) / half)));
    const wave = [...angle.map(Math.cos), ...angle.map(Math.sin)], unchanged = { scale: this.ones, shift: this.zeros };
    const waves = { at: heap.put(ys.flatMap(() => wave)), n: 1, h: 1, w: n, c: base };
    const emb = this.conv("time.mlp.2", this.dress(this.conv("time.mlp.0", waves, 1), unchanged, 0), 1);
    const label = classes ? this.parameter("label.weight") : [];
    for (let i = 0; i < n * emb.c && classes; i++) {
      const y = ys[Math.floor(i / emb.c)];
      heap.f32[emb.at + i] += label[emb.c * (y < 0 ? classes : y) + (i % emb.c)];
    }
    return this.dress(emb, unchanged, 0);
  }

  /** fold x fold pixels become channels (torch's pixel_unshuffle). @param {Float32Array} images @returns {FeatureMap} */
  unshuffle(images) {
    const { fold } = this.config, [channels, height, width] = this.shape, n = images.length / (channels * height * width);
    const map = { at: this.heap.alloc(images.length), n, h: height / fold, w: width / fold, c: channels * fold ** 2 };
    this.folded(n, (pixel, place) => (this.heap.f32[map.at + place] = images[pixel]));
    return map;
  }

  /** And back. @param {FeatureMap} map @returns {Float32Array} */
  shuffle(map) {
    const images = new Float32Array(map.n * map.h * map.w * map.c);
    this.folded(map.n, (pixel, place) => (images[pixel] = this.heap.f32[map.at + place]));
    return images;
  }

  /** Calls `each` with the place of every pixel in n images and in their folded maps.
   * @param {number} n @param {(pixel: number, place: number) => void} each */
  folded(n, each) {
    const { fold } = this.config, [channels, height, width] = this.shape;
    const w = width / fold, c = channels * fold ** 2;
    for (let image = 0, pixel = 0; image < n; image++)
      for (let channel = 0; channel < channels; channel++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++, pixel++) {
            const feature = channel * fold ** 2 + (y % fold) * fold + (x % fold);
            each(pixel, ((image * height) / fold + Math.floor(y / fold)) * w * c + Math.floor(x / fold) * c + feature);
          }
  }
}

/** exp(scale v) / sum for n numbers, in place. @param {Float32Array} v @param {number} at @param {number} n @param {number} scale */
function softmax(v, at, n, scale) {
  let [most, sum] = [-Infinity, 0];
  for (let i = at; i < at + n; i++) most = Math.max(most, v[i]);
  for (let i = at; i < at + n; i++) sum += v[i] = Math.exp(scale * (v[i] - most));
  for (let i = at; i < at + n; i++) v[i] /= sum;
}

/**
 * x0_hat at (x_t, t) of some images, within -limit and limit. Those with a class are guided by w, both halves in one batch:
 * (1 + w) output(y) - w output(no class).
 * @param {UNet} net @param {Float32Array} alphaBar
 * @param {Float32Array} xt @param {number} t @param {number[]} ys @param {number} w @returns {Float32Array}
 */
function denoise(net, alphaBar, xt, t, ys, w, limit = 1) {
  const n = ys.length, size = xt.length / n, guided = [...ys.keys()].filter((i) => w && ys[i] >= 0);
  const both = new Float32Array(xt.length + size * guided.length);
  both.set(xt);
  guided.forEach((i, k) => both.copyWithin((n + k) * size, i * size, (i + 1) * size));
  const output = net.forward(both, t, [...ys, ...guided.map(() => -1)]);
  guided.forEach((i, k) => {
    for (let p = i * size, q = (n + k) * size; p < (i + 1) * size; p++, q++) output[p] = (1 + w) * output[p] - w * output[q];
  });
  const a = Math.sqrt(alphaBar[t]), b = Math.sqrt(1 - alphaBar[t]);
  const { predicts } = net.config;
  return output.subarray(0, xt.length).map((v, i) => {
    const x0 = predicts === "x0" ? v : predicts === "eps" ? (xt[i] - b * v) / a : a * xt[i] - b * v;
    return Math.max(-limit, Math.min(limit, x0));
  });
}

"use strict";
// A U-Net of one level (ddpm_lib/models/unet.py with one of `mults`), forward and backward, for a batch of gray images.

/**
 * UNetConfig of ddpm_lib/models/unet.py. What trains here has one level, one head, silu and scale_shift.
 * @typedef {{ base: number, mults: number[], blocks: number, heads: number, groups: number, activation: string,
 *   scale_shift: boolean, fold: number, classes: number, predicts: string }} ImageConfig
 *
 * The features of the classes, the last row being "no class".
 * @typedef {{ name: string, kind: "label", shape: number[], at: number }} Label
 */

class Denoiser extends AttentionTape {
  /** @param {ImageConfig} config @param {number} side of an image in pixels @param {boolean} plain */
  constructor(config, side, plain = false) {
    const { base, mults, heads, activation, scale_shift: scaled, fold } = config;
    const told = mults.length === 1 && heads === 1 && activation === "silu" && scaled;
    if (!told || (base * mults[0]) % 8 || fold ** 2 % 8 || side % fold)
      throw Error("A page trains U-Nets of one level, with one head, silu, scale_shift, a width and fold * fold divisible by 8: choose such a network.");
    super(plain);
    this.config = config;
    this.side = side;
    /** @type {Map<string, Conv | Norm | Label>} */
    this.layers = new Map();
    this.length = 0;
    this.list(config);
    [this.weights, this.gradients, this.average] = [0, 1, 2].map(() => this.heap.zeros(this.length));
    this.mark = this.heap.top; // what lies above is freed at every pass
    // The feature of each pixel: pixel_unshuffle of torch.
    this.places = Int32Array.from({ length: side * side }, (_, i) => {
      const [x, y] = [i % side, Math.floor(i / side)], pixel = Math.floor(y / fold) * (side / fold) + Math.floor(x / fold);
      return pixel * fold ** 2 + (y % fold) * fold + (x % fold);
    });
  }

  /** The layers, in the order in which torch makes them. @param {ImageConfig} config */
  list({ base, mults, blocks, groups, fold, classes }) {
    const c = base * mults[0], emb = 4 * base, pixels = fold ** 2;
    /** @type {(a: number, b: number) => number} */
    const gcd = (a, b) => (b ? gcd(b, a % b) : a);
    /** @param {string} name @param {Omit<Conv, "name" | "at"> | Omit<Norm, "name" | "at"> | Omit<Label, "name" | "at">} layer
     * @param {number} length */
    const put = (name, layer, length) => {
      this.layers.set(name, { ...layer, name, at: this.length });
      this.length += roundUp(4, length);
    };
    const conv = (/** @type {string} */ name, /** @type {number} */ into, /** @type {number} */ out, size = 3, zero = false) =>
      put(name, { kind: "conv", shape: [out, into, size, size], size, in: into, out, zero }, out * (into * size * size + 1));
    const linear = (/** @type {string} */ name, /** @type {number} */ into, /** @type {number} */ out) =>
      put(name, { kind: "conv", shape: [out, into], size: 1, in: into, out, zero: false }, out * (into + 1));
    const norm = (/** @type {string} */ name, c = base * mults[0]) =>
      put(name, { kind: "norm", shape: [c], c, groups: gcd(c, groups) }, 2 * c);
    const block = (/** @type {string} */ name, into = c) => {
      norm(`${name}.norm1`, into);
      conv(`${name}.conv1`, into, c);
      linear(`${name}.time`, emb, 2 * c);
      norm(`${name}.norm2`);
      conv(`${name}.conv2`, c, c, 3, true);
      if (into !== c) conv(`${name}.skip`, into, c, 1);
    };
    linear("time.mlp.0", base, emb);
    linear("time.mlp.2", emb, emb);
    put("label", { kind: "label", shape: [classes + 1, emb] }, (classes + 1) * emb);
    conv("first", pixels, c);
    for (let i = 0; i < blocks; i++) block(`down.${i}.parts.0`);
    block("middle.0.parts.0");
    norm("middle.0.parts.1.norm");
    conv("middle.0.parts.1.qkv", c, 3 * c, 1);
    conv("middle.0.parts.1.out", c, c, 1, true);
    block("middle.1.parts.0");
    for (let i = 0; i <= blocks; i++) block(`up.${i}.parts.0`, 2 * c);
    norm("last.0");
    conv("last.2", c, pixels, 3, true);
  }

  /** The output for images xt of times t and classes y (-1 is "no class"), with the weights of a block. Where `recording`,
   * `backward` may follow. @param {number} block @param {Float32Array} xt @param {Int32Array} t @param {Int32Array} y
   * @returns {Float32Array} */
  forward(block, xt, t, y, recording = false) {
    const { heap, side, places, config: { base, blocks, fold } } = this, size = side * side, n = t.length;
    heap.top = this.mark;
    this.steps = [];
    this.recording = recording;
    const layer = (/** @type {string} */ name) => /** @type {any} */ (this.layers.get(name));
    const conv = (/** @type {string} */ name, /** @type {Maps} */ x, /** @type {Maps | null} */ onto = null) => this.conv(block, layer(name), x, onto);
    const norm = (/** @type {string} */ name, /** @type {Maps} */ x, /** @type {Maps | null} */ time = null, lit = true) => this.norm(block, layer(name), x, time, lit);

    const waves = this.maps(n, 1, 1, base, false);
    for (let i = 0; i < n * base; i++) {
      const k = i % (base / 2), angle = t[Math.floor(i / base)] * Math.fround(Math.exp((-Math.log(10000) * k) / (base / 2)));
      heap.f32[waves.at + i] = i % base < base / 2 ? Math.cos(angle) : Math.sin(angle);
    }
    const emb = this.activate(this.named(block, layer("label"), conv("time.mlp.2", this.activate(conv("time.mlp.0", waves))), y));
    /** A residual block. @param {string} name @param {Maps} x */
    const residual = (name, x) => {
      const time = conv(`${name}.time`, emb), h = conv(`${name}.conv1`, norm(`${name}.norm1`, x));
      const lit = norm(`${name}.norm2`, h, time);
      return conv(`${name}.conv2`, lit, this.layers.has(`${name}.skip`) ? conv(`${name}.skip`, x) : x);
    };
    const input = this.maps(n, side / fold, side / fold, fold ** 2, false);
    for (let i = 0; i < n * size; i++) heap.f32[input.at + i - (i % size) + places[i % size]] = xt[i];
    let h = conv("first", input);
    const skips = [h];
    for (let i = 0; i < blocks; i++) skips.push((h = residual(`down.${i}.parts.0`, h)));
    h = residual("middle.0.parts.0", h);
    h = conv("middle.0.parts.1.out", this.attend(conv("middle.0.parts.1.qkv", norm("middle.0.parts.1.norm", h, null, false))), h);
    h = residual("middle.1.parts.0", h);
    for (let i = 0; i <= blocks; i++) h = residual(`up.${i}.parts.0`, this.concat(h, /** @type {Maps} */ (skips.pop())));
    const output = (this.output = conv("last.2", norm("last.0", h)));
    return xt.map((_, i) => heap.f32[output.at + i - (i % size) + places[i % size]]);
  }

  /** x plus the features of each image's class, in x's place. @param {number} block @param {Label} layer @param {Maps} x
   * @param {Int32Array} y */
  named(block, { at, shape: [rows, c] }, x, y) {
    const place = (/** @type {number} */ i) => at + c * (y[i] < 0 ? rows - 1 : y[i]);
    for (let i = 0; i < x.n; i++) this.add(x.at + i * c, block + place(i), c);
    this.record(() => {
      for (let i = 0; i < x.n; i++) this.add(this.gradients + place(i), x.d + i * c, c);
    });
    return x;
  }

  /** The gradient of a loss whose gradient in the last forward pass' output is `slope`, into the block `gradients`.
   * @param {Float32Array} slope */
  backward(slope) {
    const { heap: { f32 }, output, places, side, gradients } = this, size = side * side;
    if (!output || !this.steps.length) throw Error("There is no forward pass to go back through: call forward first.");
    f32.fill(0, gradients, gradients + this.length);
    for (let i = 0; i < slope.length; i++) f32[output.d + i - (i % size) + places[i % size]] = slope[i];
    this.rewind();
  }
}

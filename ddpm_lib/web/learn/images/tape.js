"use strict";
// Feature maps of a batch, and convolutions on them: each step of a forward pass leaves on the tape how to go back through it.

/**
 * Maps of n images, h x w pixels, the c channels of a pixel side by side; c is a multiple of 8. Their gradient lies at
 * `d`; below 0 none is wanted. Both have room for pixels up to a multiple of four.
 * @typedef {{ at: number, d: number, n: number, h: number, w: number, c: number }} Maps
 *
 * A convolution of `size` x `size` pixels, a linear layer being one of size 1. In a block of weights it lies at `at`, in
 * panels of eight outputs, weight[out >> 3][tap][in][out & 7], and behind them the bias.
 * @typedef {{ name: string, kind: "conv", shape: number[], size: number, in: number, out: number, at: number,
 *   zero: boolean }} Conv
 */

class Tape {
  /** @param {boolean} plain whether to do without WebAssembly */
  constructor(plain) {
    const { heap, product, silu, kind } = fastestProduct(plain);
    this.heap = heap;
    this.product = product;
    this.kind = kind;
    this.silu = silu;
    // The blocks of the weights in training, of their gradient and of their running average; a network sets them.
    this.weights = 0;
    this.gradients = 0;
    this.average = 0;
    this.recording = false;
    /** @type {(() => void)[]} */
    this.steps = [];
    /** @type {Map<string, Int32Array>} */
    this.tables = new Map();
  }

  /** @param {number} n @param {number} h @param {number} w @param {number} c @returns {Maps} numbers not cleared */
  maps(n, h, w, c, wanted = this.recording) {
    const length = roundUp(4, n * h * w) * c, at = this.heap.alloc(length);
    return { at, d: wanted ? this.heap.zeros(length) : -1, n, h, w, c };
  }

  /** What `back` does, once the gradient of what was just made is known; its memory is freed after it. @param {() => void} back */
  record(back) {
    if (this.recording) this.steps.push(back);
  }

  /** Back through all that was recorded. */
  rewind() {
    for (const back of this.steps.reverse()) {
      const mark = this.heap.top;
      back();
      this.heap.top = mark;
    }
    this.steps = [];
  }

  /** f32[to + i] += f32[from + i]. @param {number} to @param {number} from @param {number} length */
  add(to, from, length) {
    const { f32 } = this.heap;
    for (let i = 0; i < length; i++) f32[to + i] += f32[from + i];
  }

  /** A layer's output for x, added to `onto` where that is given. @param {number} block @param {Conv} layer
   * @param {Maps} x @param {Maps | null} onto @returns {Maps} */
  conv(block, layer, x, onto = null) {
    const { heap } = this, { size, in: c, out } = layer, pixels = x.n * x.h * x.w;
    const y = this.maps(x.n, x.h, x.w, out), mark = heap.top;
    const windows = this.windows(x, size), framed = this.framed(x.at, x, size), { f32 } = heap, weight = block + layer.at, bias = weight + size * size * c * out;
    f32.copyWithin(y.at, bias, bias + out);
    for (let done = 1; done < pixels; done *= 2)
      f32.copyWithin(y.at + done * out, y.at, y.at + Math.min(done, pixels - done) * out);
    if (onto) this.add(y.at, onto.at, pixels * out);
    this.product(y.at, framed, windows, weight, roundUp(4, pixels), out, size, size * c, c);
    heap.top = mark;
    this.record(() => {
      if (onto) this.add(onto.d, y.d, pixels * out);
      this.toWeights(layer, x, y);
      if (x.d >= 0) this.toInput(layer, x, y);
    });
    return y;
  }

  /** The gradient in x: a convolution of y's with the weights turned by half a turn. @param {Conv} layer @param {Maps} x @param {Maps} y */
  toInput(layer, x, y) {
    const { heap } = this, { size, in: c, out } = layer, taps = size * size, windows = this.windows(x, size);
    const turned = heap.alloc(taps * out * c), framed = this.framed(y.d, y, size), { f32 } = heap;
    for (let i = 0; i < c; i++)
      for (let tap = 0; tap < taps; tap++) {
        const to = turned + (i >> 3) * 8 * taps * out + 8 * tap * out + (i & 7);
        const from = this.weights + layer.at + 8 * ((taps - 1 - tap) * c + i);
        for (let j = 0; j < out; j++) f32[to + 8 * j] = f32[from + (j >> 3) * 8 * taps * c + (j & 7)];
      }
    this.product(x.d, framed, windows, turned, roundUp(4, x.n * x.h * x.w), c, size, size * out, out);
  }

  /** The gradients in weights and bias: a product of each tap's pixels with those of y's gradient, image by image.
   * @param {Conv} layer @param {Maps} x @param {Maps} y */
  toWeights({ size, in: c, out, at }, x, y) {
    const { heap, gradients } = this, [n, h, w] = size === 1 ? [1, 1, x.n * x.h * x.w] : [x.n, x.h, x.w];
    const border = size >> 1, wide = w + 2 * border, plane = (h + 2 * border) * wide, k = size * size * c;
    const rows = this.taps(h, w, size, c), turned = heap.zeros(c * plane), bias = gradients + at + k * out;
    for (let image = 0; image < n; image++) {
      const from = x.at + image * h * w * c, mark = heap.top, slope = y.d + image * h * w * out;
      const panels = heap.panels(h * w, out, slope, out, 1), { f32 } = heap;
      for (let p = 0; p < h * w; p++) {
        const to = turned + (Math.floor(p / w) + border) * wide + (p % w) + border;
        for (let i = 0; i < c; i++) f32[to + i * plane] = f32[from + p * c + i];
        for (let j = 0; j < out; j++) f32[bias + j] += f32[slope + p * out + j];
      }
      for (let j = 0; j < out; j += 8)
        this.product(gradients + at + j * k, turned, rows, panels + j * h * w, k, 8, h, w, 1);
      heap.top = mark;
    }
  }

  /** The pixels at `at` with zeros around each image, as a convolution reads them. @param {number} at @param {Maps} maps
   * @param {number} size @returns {number} */
  framed(at, { n, h, w, c }, size) {
    if (size === 1) return at;
    const wide = w + 2, to = this.heap.zeros(n * (h + 2) * wide * c), { f32 } = this.heap;
    for (let row = 0; row < n * h; row++) {
      const y = (Math.floor(row / h) * (h + 2) + (row % h) + 1) * wide + 1;
      f32.copyWithin(to + y * c, at + row * w * c, at + (row + 1) * w * c);
    }
    return to;
  }

  /** Where the rows of each output pixel's window begin, in pixels of the framed input. @param {Maps} x @param {number} size */
  windows({ n, h, w }, size) {
    if (size === 1) return this.table(`rows ${n * h * w}`, n * h * w, 1, (pixel) => pixel);
    return this.table(`windows ${n} ${h} ${w} ${size}`, n * h * w, size, (pixel, tap) => {
      const row = Math.floor(pixel / w);
      return (Math.floor(row / h) * (h + 2) + (row % h) + tap) * (w + 2) + (pixel % w);
    });
  }

  /** Where in c planes of one framed image the h rows of a tap begin. @param {number} h @param {number} w
   * @param {number} size @param {number} c */
  taps(h, w, size, c) {
    const wide = w + 2 * (size >> 1), plane = (h + 2 * (size >> 1)) * wide;
    return this.table(`taps ${h} ${w} ${size} ${c}`, size * size * c, h, (row, y) => {
      const tap = Math.floor(row / c);
      return (row % c) * plane + (Math.floor(tap / size) + y) * wide + (tap % size);
    });
  }

  /** The place of a table for the product: where run number `tap` of row i begins. It is worked out once.
   * @param {string} name @param {number} rows a multiple of four, or what is rounded up to one @param {number} taps
   * @param {(row: number, tap: number) => number} begins */
  table(name, rows, taps, begins) {
    let table = this.tables.get(name);
    if (!table) {
      this.tables.set(name, (table = new Int32Array(roundUp(4, rows) * taps)));
      for (let i = 0; i < roundUp(4, rows); i++)
        for (let tap = 0; tap < taps; tap++) table[((i >> 2) * taps + tap) * 4 + (i & 3)] = begins(Math.min(i, rows - 1), tap);
    }
    const at = this.heap.alloc(table.length);
    this.heap.i32.set(table, at);
    return at;
  }
}

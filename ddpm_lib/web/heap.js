"use strict";
// The memory that the network works in, which JavaScript and WebAssembly share.

/**
 * The feature maps of n images in the heap: h x w pixels, and side by side the c channels of a pixel. A map that a
 * convolution is to read lies in a frame of zeros, which h and w do not count.
 * @typedef {{ at: number, n: number, h: number, w: number, c: number }} FeatureMap
 *
 * A layer's matrix of k rows and n columns in panels of eight columns; where `tiled`, 36 of k / 9 rows.
 * @typedef {{ at: number, k: number, n: number, tiled: boolean }} Panels
 */

const roundUp = (/** @type {number} */ multiple, /** @type {number} */ n) => Math.ceil(n / multiple) * multiple;

/**
 * The memory of it all: one growing buffer that WebAssembly sees too. A place is the index of a float;
 * to free what was allocated, set `top` back.
 */
class Heap {
  /** @param {boolean} wasm whether WebAssembly is to work in it */
  constructor(wasm) {
    this.memory = wasm ? new WebAssembly.Memory({ initial: 16 }) : null;
    this.top = 0;
    // Read these anew after every `alloc`: growing replaces them.
    this.f32 = new Float32Array(this.memory?.buffer ?? new ArrayBuffer(1 << 20));
    this.i32 = new Int32Array(this.f32.buffer);
  }

  /** @param {number} n @returns {number} the place of n floats, not cleared, on a boundary of 16 bytes */
  alloc(n) {
    const at = this.top;
    this.top += (n + 3) & ~3;
    if (this.top > this.f32.length) {
      const old = this.f32, pages = Math.ceil((4 * this.top - old.byteLength) / 65536) + 64;
      this.memory?.grow(pages);
      this.f32 = new Float32Array(this.memory?.buffer ?? new ArrayBuffer(old.byteLength + 65536 * pages));
      this.i32 = new Int32Array(this.f32.buffer);
      if (!this.memory) this.f32.set(old);
    }
    return at;
  }

  /** Frees all that lies above `mark`, save x. @param {number} mark @param {FeatureMap} x @returns {FeatureMap} */
  tidy(mark, x) {
    const length = x.n * x.h * x.w * x.c;
    this.f32.copyWithin(mark, x.at, x.at + length);
    this.top = mark;
    return { ...x, at: this.alloc(length) };
  }

  /** @param {number} n @returns {number} the place of n zeros */
  zeros(n) {
    const at = this.alloc(n);
    this.f32.fill(0, at, at + n);
    return at;
  }

  /** The place of a copy of some numbers. @param {ArrayLike<number>} values */
  put(values) {
    const at = this.alloc(values.length);
    this.f32.set(values, at);
    return at;
  }

  /** A k x n matrix with the elements f32[at + i * down + j * across], in panels of eight columns.
   * @param {number} k @param {number} n @param {number} at @param {number} down @param {number} across */
  panels(k, n, at, down, across) {
    const to = n % 8 ? this.zeros(k * roundUp(8, n)) : this.alloc(k * n), { f32 } = this;
    for (let j = 0; j < n; j++) {
      const column = to + (j >> 3) * 8 * k + (j & 7), from = at + j * across;
      for (let i = 0; i < k; i++) f32[column + 8 * i] = f32[from + i * down];
    }
    return to;
  }
}

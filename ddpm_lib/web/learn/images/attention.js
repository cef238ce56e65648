"use strict";
// Attention between the pixels of each image (Vaswani et al. 2017, eq. 1), one head, forward and backward; and the joining of maps.

class AttentionTape extends NormTape {
  /** A times B: a new matrix, its rows padded to a multiple of four and its columns to one of eight.
   * @param {number} a the place of m rows of k numbers @param {number} pitch from one row to the next @param {number} m
   * @param {number} k @param {number} b panels of k rows and n columns @param {number} n */
  times(a, pitch, m, k, b, n) {
    const out = this.heap.zeros(roundUp(4, m) * roundUp(8, n));
    const rows = this.table(`rows ${m}`, m, 1, (row) => row);
    this.product(out, a, rows, b, roundUp(4, m), roundUp(8, n), 1, k, pitch);
    return out;
  }

  /** softmax(q k^T / sqrt(c)) v for each image. @param {Maps} qkv of 3 c channels: q, k, v @returns {Maps} */
  attend(qkv) {
    const c = qkv.c / 3, n = qkv.h * qkv.w, wide = roundUp(8, n), { heap } = this;
    const y = this.maps(qkv.n, qkv.h, qkv.w, c), shares = heap.alloc(qkv.n * n * wide);
    for (let image = 0; image < qkv.n; image++) {
      const at = qkv.at + image * n * qkv.c, mark = heap.top;
      const scores = this.times(at, qkv.c, n, c, heap.panels(c, n, at + c, 1, qkv.c), n);
      for (let i = 0; i < n; i++) this.softmax(scores + i * wide, n, c ** -0.5);
      heap.f32.copyWithin(shares + image * n * wide, scores, scores + n * wide);
      const mixed = this.times(scores, wide, n, n, heap.panels(n, c, at + 2 * c, qkv.c, 1), c);
      heap.f32.copyWithin(y.at + image * n * c, mixed, mixed + n * c);
      heap.top = mark;
    }
    this.record(() => {
      for (let image = 0; image < qkv.n; image++) {
        const mark = heap.top;
        this.attendBack(qkv, y, image, shares + image * n * wide);
        heap.top = mark;
      }
    });
    return y;
  }

  /** @param {Maps} qkv @param {Maps} y @param {number} image @param {number} shares softmax's, n rows of them */
  attendBack(qkv, y, image, shares) {
    const c = y.c, n = y.h * y.w, wide = roundUp(8, n), { heap } = this, at = qkv.at + image * n * qkv.c;
    const slope = y.d + image * n * c, d = qkv.d + image * n * qkv.c;
    /** The transpose of n rows of shares or scores. @param {number} from */
    const turned = (from) => {
      const to = heap.alloc(n * wide), { f32 } = heap;
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) f32[to + j * wide + i] = f32[from + i * wide + j];
      return to;
    };
    /** Into q's, k's or v's gradient. @param {number} part @param {number} from */
    const into = (part, from) => {
      for (let p = 0; p < n; p++) this.add(d + p * qkv.c + part * c, from + p * c, c);
    };
    into(2, this.times(turned(shares), wide, n, n, heap.panels(n, c, slope, c, 1), c));
    const scores = this.times(slope, c, n, c, heap.panels(c, n, at + 2 * c, 1, qkv.c), n), { f32 } = heap, scale = c ** -0.5;
    for (let i = 0; i < n * wide; i += wide) {
      let sum = 0;
      for (let j = i; j < i + n; j++) sum += f32[shares + j] * f32[scores + j];
      for (let j = i; j < i + n; j++) f32[scores + j] = scale * f32[shares + j] * (f32[scores + j] - sum);
    }
    into(0, this.times(scores, wide, n, n, heap.panels(n, c, at + c, qkv.c, 1), c));
    into(1, this.times(turned(scores), wide, n, n, heap.panels(n, c, at, qkv.c, 1), c));
  }

  /** exp(scale v) / sum for n numbers, in place. @param {number} at @param {number} n @param {number} scale */
  softmax(at, n, scale) {
    const { f32 } = this.heap;
    let [most, sum] = [-Infinity, 0];
    for (let i = at; i < at + n; i++) most = Math.max(most, f32[i]);
    for (let i = at; i < at + n; i++) sum += f32[i] = Math.exp(scale * (f32[i] - most));
    for (let i = at; i < at + n; i++) f32[i] /= sum;
  }

  /** The channels of a, then those of b. @param {Maps} a @param {Maps} b @returns {Maps} */
  concat(a, b) {
    const y = this.maps(a.n, a.h, a.w, a.c + b.c), pixels = a.n * a.h * a.w, { f32 } = this.heap;
    for (let p = 0; p < pixels; p++) {
      f32.copyWithin(y.at + p * y.c, a.at + p * a.c, a.at + (p + 1) * a.c);
      f32.copyWithin(y.at + p * y.c + a.c, b.at + p * b.c, b.at + (p + 1) * b.c);
    }
    this.record(() => {
      for (let p = 0; p < pixels; p++) {
        this.add(a.d + p * a.c, y.d + p * y.c, a.c);
        this.add(b.d + p * b.c, y.d + p * y.c + a.c, b.c);
      }
    });
    return y;
  }
}

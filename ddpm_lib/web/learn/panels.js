"use strict";
// A linear layer, forward and backward, on a batch that lies in the heap in panels of eight points.

/**
 * A layer y = W x + b in a block of weights: W of `outs` rows and `ins` columns at `at`, b behind it. Both counts are
 * padded to multiples of eight with zeros, which stay zeros in training; `in` and `out` are the true ones.
 * @typedef {{ name: string, in: number, out: number, bias: boolean, ins: number, outs: number, at: number }} Linear
 *
 * A batch of `count` eights of points with `features` numbers each: batch[point >> 3][feature][point & 7].
 * @typedef {{ at: number, features: number, count: number }} Batch
 */

/** The product of the engine (matmul.js), used for the three products of a linear layer. */
class Panels8 {
  /** @param {Heap} heap @param {Product} product @param {number[]} sizes the padded outputs and inputs of the layers
   * @param {number} most eights of points in a batch that is trained on */
  constructor(heap, product, sizes, most) {
    this.heap = heap;
    this.product = product;
    // For the product: where row i of `rows` begins, in each of its `taps` runs. Run `tap` has the number tap * rows + i.
    /** @type {Record<string, number>} */
    this.tables = {};
    for (const rows of new Set(sizes))
      for (let taps = 1; taps <= most; taps++) {
        const at = (this.tables[`${rows} ${taps}`] = heap.alloc(rows * taps)), { i32 } = heap;
        for (let i = 0; i < rows; i++)
          for (let tap = 0; tap < taps; tap++) i32[at + (i >> 2) * 4 * taps + 4 * tap + (i & 3)] = tap * rows + i;
      }
  }

  /** @param {number} features @param {number} count @returns {Batch} numbers not cleared */
  batch(features, count) {
    return { at: this.heap.alloc(8 * features * count), features, count };
  }

  /** out += A x for every eight points, A of `rows` rows at `a`. @param {Batch} out @param {number} a @param {Batch} x */
  multiply(out, a, x) {
    const rows = this.tables[`${out.features} 1`];
    for (let p = 0; p < x.count; p++) {
      const [to, from] = [out.at + 8 * p * out.features, x.at + 8 * p * x.features];
      this.product(to, a, rows, from, out.features, 8, 1, x.features, x.features);
    }
  }

  /** y = W x + b. @param {number} weights the place of the block @param {Linear} layer @param {Batch} x @returns {Batch} */
  forward(weights, layer, x) {
    const y = this.batch(layer.outs, x.count), { f32 } = this.heap, size = 8 * layer.outs;
    const b = weights + layer.at + layer.ins * layer.outs;
    for (let i = 0; i < size; i++) f32[y.at + i] = f32[b + (i >> 3)];
    for (let p = 1; p < x.count; p++) f32.copyWithin(y.at + p * size, y.at, y.at + size);
    this.multiply(y, weights + layer.at, x);
    return y;
  }

  /** The gradient in x, W^T dy. @param {number} weights @param {Linear} layer @param {Batch} dy @returns {Batch} */
  toInput(weights, { at, ins, outs }, dy) {
    const turned = this.heap.alloc(ins * outs), dx = this.batch(ins, dy.count), { f32 } = this.heap;
    for (let i = 0; i < outs; i++)
      for (let j = 0; j < ins; j++) f32[turned + j * outs + i] = f32[weights + at + i * ins + j];
    f32.fill(0, dx.at, dx.at + 8 * ins * dx.count);
    this.multiply(dx, turned, dy);
    return dx;
  }

  /** The gradients in W and b, dy x^T and the sum of dy, into the block `gradients`. @param {number} gradients
   * @param {Linear} layer @param {Batch} x @param {Batch} dy */
  toWeights(gradients, { at, ins, outs, bias }, x, dy) {
    const points = 8 * x.count, turned = this.heap.alloc(ins * points), { f32 } = this.heap, w = gradients + at;
    for (let p = 0; p < x.count; p++)
      for (let j = 0; j < ins; j++) {
        const from = x.at + 8 * (p * ins + j);
        let to = turned + (j & ~7) * points + 64 * p + (j & 7);
        for (let k = from; k < from + 8; k++, to += 8) f32[to] = f32[k];
      }
    f32.fill(0, w, w + ins * outs + outs);
    this.product(w, dy.at, this.tables[`${outs} ${dy.count}`], turned, outs, ins, dy.count, 8, 8);
    if (!bias) return;
    for (let i = 0; i < outs; i++) {
      let sum = 0;
      for (let p = 0, k = dy.at + 8 * i; p < dy.count; p++, k += 8 * outs)
        sum += f32[k] + f32[k + 1] + f32[k + 2] + f32[k + 3] + f32[k + 4] + f32[k + 5] + f32[k + 6] + f32[k + 7];
      f32[w + ins * outs + i] = sum;
    }
  }
}

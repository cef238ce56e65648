"use strict";
// A step along the gradient: clipping, AdamW and the running average of the weights, as ddpm_lib/train/loop.py takes them.

const EPS = 1e-8;

/** Weights, their gradient and their average: three blocks of one length in a heap.
 * @typedef {{ length: number, weights: number, gradients: number, average: number, heap: Heap }} Blocks */

class AdamW {
  /** @param {Blocks} net @param {{ lr: number, betas?: number[], decay?: number, clip?: number, ema?: number }} options
   * decay of the weights; clip, the largest norm of the gradient; ema, the decay of the average */
  constructor(net, { lr, betas = [0.9, 0.999], decay = 0, clip = 1, ema = 0.999 }) {
    this.net = net;
    this.lr = lr;
    this.betas = betas;
    this.decay = decay;
    this.clip = clip;
    this.ema = ema;
    this.steps = 0;
    this.mean = new Float32Array(net.length);
    this.square = new Float32Array(net.length);
  }

  /** One step; the zeros that fill the blocks up stay zeros. */
  step() {
    const { net, mean, square, lr, decay, betas: [beta1, beta2] } = this, { length, weights, gradients, average, heap: { f32 } } = net;
    let norm = 0;
    for (let i = gradients; i < gradients + length; i++) norm += f32[i] * f32[i];
    const factor = Math.min(1, this.clip / (Math.sqrt(norm) + 1e-6));
    const rate = Math.min(this.ema, (1 + this.steps) / (10 + this.steps));
    this.steps += 1;
    const size = lr / (1 - beta1 ** this.steps), root = Math.sqrt(1 - beta2 ** this.steps);
    for (let i = 0; i < length; i++) {
      const g = factor * f32[gradients + i];
      const m = (mean[i] += (1 - beta1) * (g - mean[i])), v = (square[i] += (1 - beta2) * (g * g - square[i]));
      const w = (f32[weights + i] = f32[weights + i] * (1 - lr * decay) - (size * m) / (Math.sqrt(v) / root + EPS));
      f32[average + i] += (1 - rate) * (w - f32[average + i]);
    }
  }

  /** Begin anew, with other weights. */
  forget() {
    this.steps = 0;
    this.mean.fill(0);
    this.square.fill(0);
  }
}

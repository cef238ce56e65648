"use strict";
// A step along the gradient: clipping, AdamW and the running average of the weights, as ddpm_lib/train/loop.py takes them.

const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];

class AdamW {
  /** @param {Mlp} net @param {{ lr: number, decay?: number, clip?: number, ema?: number }} options decay of the weights;
   * clip, the largest norm of the gradient; ema, the decay of the average */
  constructor(net, { lr, decay = 0, clip = 1, ema = 0.999 }) {
    this.net = net;
    this.lr = lr;
    this.decay = decay;
    this.clip = clip;
    this.ema = ema;
    this.steps = 0;
    this.mean = new Float32Array(net.length);
    this.square = new Float32Array(net.length);
  }

  /** One step; the zeros that fill the blocks up stay zeros. */
  step() {
    const { net, mean, square, lr, decay } = this, { length, weights, gradients, average, heap: { f32 } } = net;
    let norm = 0;
    for (let i = gradients; i < gradients + length; i++) norm += f32[i] * f32[i];
    const factor = Math.min(1, this.clip / (Math.sqrt(norm) + 1e-6));
    const rate = Math.min(this.ema, (1 + this.steps) / (10 + this.steps));
    this.steps += 1;
    const size = lr / (1 - BETA1 ** this.steps), root = Math.sqrt(1 - BETA2 ** this.steps);
    for (let i = 0; i < length; i++) {
      const g = factor * f32[gradients + i];
      const m = (mean[i] += (1 - BETA1) * (g - mean[i])), v = (square[i] += (1 - BETA2) * (g * g - square[i]));
      const w = (f32[weights + i] = f32[weights + i] * (1 - lr * decay) - (size * m) / (Math.sqrt(v) / root + EPS));
      f32[average + i] += (1 - rate) * (w - f32[average + i]);
    }
  }
}

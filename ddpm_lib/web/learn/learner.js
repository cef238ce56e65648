"use strict";
// Algorithm 1 in the plane: draw points, times and noise, ask the network, take a step.

/**
 * What is trained, and how: the schedule's name and T, or its betas where they come from elsewhere.
 * @typedef {{ schedule: string, T: number, beta?: Float64Array, predicts: string, width: number, layers?: number,
 *   lr: number, seed: number, batch?: number }} Recipe
 */

class Learner {
  /** @param {Recipe} recipe @param {Float32Array} points the data, x y x y ... @param {boolean} plain */
  constructor({ schedule, T, beta, predicts, width, layers = 3, lr, seed, batch = 256 }, points, plain = false) {
    this.points = points;
    this.size = batch;
    this.schedule = { name: schedule, beta: beta ?? betas(schedule, T) };
    this.alphaBar = alphaBars(this.schedule.beta);
    this.T = this.alphaBar.length - 1;
    this.net = new Mlp({ dim: 2, width, layers, predicts }, batch, plain);
    this.random = new Normal(seed);
    freshWeights(this.net, this.random);
    this.optimizer = new AdamW(this.net, { lr });
  }

  /** A batch as Algorithm 1 draws it. */
  draw() {
    const { random, points, size, T } = this, below = (/** @type {number} */ n) => Math.floor((random.bits() / 2 ** 32) * n);
    const x0 = new Float32Array(2 * size), t = new Int32Array(size), n = points.length / 2;
    for (let i = 0; i < size; i++) {
      const k = below(n);
      [x0[2 * i], x0[2 * i + 1], t[i]] = [points[2 * k], points[2 * k + 1], 1 + below(T)];
    }
    return { x0, t, eps: random.draw(2 * size) };
  }

  /** The loss on a batch, L_simple, and its gradient into the network. @param {ReturnType<Learner["draw"]>} batch */
  loss({ x0, t, eps }) {
    const { net, alphaBar } = this, { predicts } = net.config, n = x0.length;
    const xt = new Float32Array(n), slope = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const ab = alphaBar[t[i >> 1]];
      xt[i] = Math.sqrt(ab) * x0[i] + Math.sqrt(1 - ab) * eps[i];
    }
    const output = net.forward(net.weights, xt, t);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const off = output[i] - targetOf(predicts, alphaBar[t[i >> 1]], x0[i], eps[i]);
      sum += off * off;
      slope[i] = (2 * off) / n;
    }
    net.backward(slope);
    return sum / n;
  }

  /** One step on a batch; drawn here unless told. Returns the loss before it. */
  step(batch = this.draw()) {
    const loss = this.loss(batch);
    this.optimizer.step();
    return loss;
  }

  /** x0_hat of the averaged network for points that all have the time t. @param {Float32Array} xt @param {number} t */
  clean(xt, t) {
    const { net, alphaBar } = this;
    const output = net.forward(net.average, xt, new Int32Array(xt.length / 2).fill(t));
    return output.map((v, i) => cleanOf(net.config.predicts, alphaBar[t], xt[i], v));
  }
}

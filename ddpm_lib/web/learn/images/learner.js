"use strict";
// Algorithm 1 on images: draw digits, times, noise and which labels to hide, ask the network, take a step; and Algorithm 2.

/**
 * Images in bytes: `levels` values of a pixel, from black to white, and a class each.
 * @typedef {{ pixels: Uint8Array, y: Uint8Array, levels: number, side: number, name: string, classes: string[] }} Images
 *
 * What is trained, and how; the names are TrainConfig's (ddpm_lib/train/config.py).
 * @typedef {{ config: ImageConfig, schedule: string, T: number, steps: number, batch: number, lr: number, warmup: number,
 *   betas: number[], clip: number, ema: number, label_drop: number, draw_t: string, seed: number }} ImageRecipe
 *
 * @typedef {{ x0: Float32Array, y: Int32Array, t: Int32Array, eps: Float32Array }} ImageBatch y is -1 where it is hidden
 */

class ImageLearner {
  /** @param {ImageRecipe} recipe @param {Images} images @param {boolean} plain */
  constructor(recipe, images, plain = false) {
    const { schedule, T, config, seed, lr, betas: two, clip, ema } = recipe, { side, name, classes } = images;
    if (config.predicts !== "x0" || recipe.draw_t !== "lognormal") throw Error("A page trains images on x0 and log-normal times: choose these.");
    this.recipe = recipe;
    this.images = images;
    this.about = { data: name, shape: [1, side, side], classes };
    this.beta = betas(schedule, T);
    this.alphaBar = alphaBars(this.beta);
    // Between log sigma of two neighboring times, as t_weights of ddpm_lib/loss.py has it.
    const logs = Array.from(this.alphaBar.subarray(1), (ab) => Math.log((1 - ab) / ab) / 2);
    this.edges = logs.slice(1).map((log, i) => (log + logs[i]) / 2);
    this.net = new Denoiser(config, side, plain);
    this.random = new Normal(seed);
    freshTensors(this.net, this.random);
    this.optimizer = new AdamW(this.net, { lr, betas: two, clip, ema });
    this.first = 0; // steps of an earlier run, whose file was opened
    /** What is left of an epoch. @type {number[]} */
    this.order = [];
  }

  get steps() {
    return this.first + this.optimizer.steps;
  }

  /** @param {number} n @returns {number} 0 ... n - 1, each as likely */
  below(n) {
    return Math.floor((this.random.bits() / 2 ** 32) * n);
  }

  /** A batch as Algorithm 1 draws it; log sigma_t is a standard normal number. @returns {ImageBatch} */
  draw() {
    const { recipe: { batch, label_drop }, images: { pixels, y, levels, side }, random, edges } = this, size = side * side;
    const x0 = new Float32Array(batch * size), eps = random.draw(batch * size), labels = new Int32Array(batch);
    const t = Int32Array.from({ length: batch }, () => {
      const log = random.single(), first = edges.findIndex((edge) => edge > log);
      return 1 + (first < 0 ? edges.length : first);
    });
    for (let i = 0; i < batch; i++) {
      if (!this.order.length) {
        // One pass over the images, in an order of its own (Fisher and Yates).
        this.order = Array.from(y, (_, k) => k);
        for (let k = y.length - 1; k > 0; k--) {
          const other = this.below(k + 1);
          [this.order[k], this.order[other]] = [this.order[other], this.order[k]];
        }
      }
      const k = /** @type {number} */ (this.order.pop());
      for (let j = 0; j < size; j++) x0[i * size + j] = (2 * pixels[k * size + j]) / (levels - 1) - 1;
      labels[i] = random.bits() / 2 ** 32 < label_drop ? -1 : y[k];
    }
    return { x0, y: labels, t, eps };
  }

  /** The loss on a batch, L_simple, and its gradient into the network; where the batch is a share of one of `of` pixels, its
   * part of both. @param {ImageBatch} batch */
  loss({ x0, y, t, eps }, of = x0.length) {
    const { net, alphaBar } = this, n = x0.length, size = n / t.length, slope = new Float32Array(n);
    const xt = x0.map((x, i) => {
      const ab = alphaBar[t[Math.floor(i / size)]];
      return Math.sqrt(ab) * x + Math.sqrt(1 - ab) * eps[i];
    });
    const output = net.forward(net.weights, xt, t, y, true);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const off = output[i] - x0[i];
      sum += off * off;
      slope[i] = (2 * off) / of;
    }
    net.backward(slope);
    return sum / of;
  }

  /** The rate when `share` of a run is done: it rises, then falls to 0 as a cosine (ddpm_lib/train/loop.py).
   * @param {number} share */
  rate(share) {
    const { lr, warmup } = this.recipe;
    if (share < warmup) return lr * Math.max(share / warmup, 0.05);
    return (lr / 2) * (1 + Math.cos((Math.PI * (share - warmup)) / (1 - warmup)));
  }

  /** One step on a batch; drawn here unless told. After the last step of a run another run begins. Returns the loss before it. */
  step(batch = this.draw()) {
    const loss = this.loss(batch);
    this.update();
    return loss;
  }

  /** The step along the gradient that is there. */
  update() {
    const { optimizer, recipe } = this;
    optimizer.lr = this.rate((optimizer.steps % recipe.steps) / recipe.steps);
    optimizer.step();
  }

  /** Images of these classes by DDIM, guided, from the noise of `seed`, `seed` + 1 ... @param {number[]} classes
   * @param {{ seed: number, steps: number, w: number }} options @returns {Float32Array} */
  generate(classes, { seed, steps, w }) {
    const { net, alphaBar, images: { side } } = this, size = side * side, n = classes.length, path = timesteps(this.recipe.T, steps);
    /** @type {Float32Array} */
    let x = new Float32Array(n * size);
    classes.forEach((_, i) => x.set(new Normal(seed + i).draw(size), i * size));
    const y = Int32Array.from([...classes, ...classes.map(() => -1)]), both = new Float32Array(2 * n * size);
    for (let i = 0; i < steps; i++) {
      both.set(x);
      both.set(x, n * size);
      const output = net.forward(net.average, both, new Int32Array(2 * n).fill(path[i]), y);
      const x0 = x.map((_, j) => Math.max(-1, Math.min(1, (1 + w) * output[j] - w * output[n * size + j])));
      x = reverseStep(alphaBar, x, x0, path[i], path[i + 1], 0, x); // eta = 0: no fresh noise
    }
    return x;
  }
}

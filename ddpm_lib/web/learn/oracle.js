"use strict";
// The exact answer where the data are a finite set of points: E[x_0 | x_t], each point weighed by how likely x_t came from it.

/** x0_hat that no network can better. @param {Float32Array} points x y x y ... @param {number} ab alpha_bar_t, below 1
 * @param {Float32Array} xt @returns {Float32Array} */
function exactClean(points, ab, xt) {
  const answer = new Float32Array(xt.length), n = points.length, a = Math.sqrt(ab), over = 2 * (1 - ab);
  const logs = new Float64Array(n / 2);
  for (let i = 0; i < xt.length; i += 2) {
    let most = -Infinity;
    for (let k = 0; k < n; k += 2) {
      const dx = xt[i] - a * points[k], dy = xt[i + 1] - a * points[k + 1];
      const log = (logs[k >> 1] = -(dx * dx + dy * dy) / over);
      if (log > most) most = log;
    }
    let [sum, x, y] = [0, 0, 0];
    for (let k = 0; k < n; k += 2) {
      if (logs[k >> 1] < most - 40) continue; // below the last digit of a double
      const weight = Math.exp(logs[k >> 1] - most);
      sum += weight;
      x += weight * points[k];
      y += weight * points[k + 1];
    }
    [answer[i], answer[i + 1]] = [x / sum, y / sum];
  }
  return answer;
}

/** The mean squared error of the exact answer on batches drawn as in training: what the loss cannot stay below.
 * @param {Learner} learner @param {Normal} random @param {number} draws */
function leastLoss({ points, alphaBar, T, net }, random, draws) {
  const { predicts } = net.config, below = (/** @type {number} */ n) => Math.floor((random.bits() / 2 ** 32) * n);
  const eps = random.draw(2 * draws);
  let sum = 0;
  for (let i = 0; i < draws; i++) {
    // Every part of the chain alike: the first draw falls on an early t, the last on a late one.
    const t = 1 + Math.floor((i * T) / draws), ab = alphaBar[t], k = 2 * below(points.length / 2);
    const x0 = [points[k], points[k + 1]];
    const xt = Float32Array.from(x0, (x, j) => Math.sqrt(ab) * x + Math.sqrt(1 - ab) * eps[2 * i + j]);
    const best = exactClean(points, ab, xt);
    for (let j = 0; j < 2; j++) {
      const e = noiseOf(ab, xt[j], best[j]);
      sum += (targetOf(predicts, ab, best[j], e) - targetOf(predicts, ab, x0[j], eps[2 * i + j])) ** 2;
    }
  }
  return sum / (2 * draws);
}

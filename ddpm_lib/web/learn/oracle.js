"use strict";
// The exact answer where the data are a finite set of points: E[x_0 | x_t], each point weighed by how likely x_t came from it.

/** x0_hat that no network can better. @param {Float32Array} points x y x y ... @param {number} ab alpha_bar_t, below 1
 * @param {Float32Array} xt @param {Float64Array} [left] gets, for each x_t, the mean squared distance of x_0 from it
 * @returns {Float32Array} */
function exactClean(points, ab, xt, left) {
  const answer = new Float32Array(xt.length), n = points.length, a = Math.sqrt(ab), over = 2 * (1 - ab);
  const logs = new Float64Array(n / 2);
  for (let i = 0; i < xt.length; i += 2) {
    let most = -Infinity;
    for (let k = 0; k < n; k += 2) {
      const dx = xt[i] - a * points[k], dy = xt[i + 1] - a * points[k + 1];
      const log = (logs[k >> 1] = -(dx * dx + dy * dy) / over);
      if (log > most) most = log;
    }
    let [sum, x, y, square] = [0, 0, 0, 0];
    for (let k = 0; k < n; k += 2) {
      if (logs[k >> 1] < most - 40) continue; // below the last digit of a double
      const weight = Math.exp(logs[k >> 1] - most);
      sum += weight;
      x += weight * points[k];
      y += weight * points[k + 1];
      square += weight * (points[k] ** 2 + points[k + 1] ** 2);
    }
    [answer[i], answer[i + 1]] = [x / sum, y / sum];
    if (left) left[i >> 1] = Math.max(0, square / sum - (x / sum) ** 2 - (y / sum) ** 2);
  }
  return answer;
}

/** The i-th number of van der Corput's sequence in this base, which fills 0 to 1 evenly.
 * @param {number} i @param {number} base */
function spread(i, base) {
  let sum = 0;
  for (let part = 1 / base; i; i = Math.floor(i / base), part /= base) sum += part * (i % base);
  return sum;
}

/** The mean squared error of the exact answer: no network's is below it on average. Of each x_t its error is known, and the x_t
 * are spread evenly over times, points, angles and lengths of the noise (Halton 1960): six thousand give it to about a percent.
 * @param {Learner} learner */
function leastLoss({ points, alphaBar, T, net }, draws = 6000) {
  const { predicts } = net.config, left = new Float64Array(1);
  let sum = 0;
  for (let i = 1; i <= draws; i++) {
    const [when, which, turn, far] = [2, 3, 5, 7].map((base) => spread(i, base));
    const t = 1 + Math.floor(when * T), ab = alphaBar[t], k = 2 * Math.floor((which * points.length) / 2);
    const angle = 2 * Math.PI * turn, a = Math.sqrt(ab), noise = Math.sqrt(-2 * (1 - ab) * Math.log(1 - far));
    exactClean(points, ab, Float32Array.of(a * points[k] + noise * Math.cos(angle), a * points[k + 1] + noise * Math.sin(angle)), left);
    sum += left[0] * targetOf(predicts, ab, 1, noiseOf(ab, 0, 1)) ** 2; // how far the target moves where x_0 does
  }
  return sum / (2 * draws);
}

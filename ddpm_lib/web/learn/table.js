"use strict";
// The noise schedules of ddpm_lib/schedule.py, and what follows from them by algebra (ddpm_lib/diffusion.py), in the plane.

/** The names of the schedules: "short" has the betas of Ho et al. 2020 whatever T is, and ends early where T is below 1000. */
const SCHEDULES = ["linear", "cosine", "short"];

/** beta_0 = 0, beta_1 ... beta_T. @param {string} name @param {number} T @returns {Float64Array} */
function betas(name, T) {
  const beta = new Float64Array(T + 1);
  if (name === "cosine") {
    const f = (/** @type {number} */ t) => Math.cos(((t / T + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
    for (let t = 1; t <= T; t++) beta[t] = Math.min(0.999, 1 - f(t) / f(t - 1));
    return beta;
  }
  const scale = name === "short" ? 1 : 1000 / T, [low, high] = [1e-4 * scale, 0.02 * scale];
  for (let t = 1; t <= T; t++) beta[t] = low + ((high - low) * (t - 1)) / Math.max(1, T - 1);
  return beta;
}

/** alpha_bar_t = (1 - beta_1) ... (1 - beta_t). @param {Float64Array} beta @returns {Float64Array} */
function alphaBars(beta) {
  const table = new Float64Array(beta.length);
  beta.forEach((b, t) => (table[t] = (t ? table[t - 1] : 1) * (1 - b)));
  return table;
}

/** What a network that predicts `predicts` should answer. @param {string} predicts @param {number} ab alpha_bar_t
 * @param {number} x0 @param {number} eps */
const targetOf = (predicts, ab, x0, eps) =>
  predicts === "eps" ? eps : predicts === "x0" ? x0 : Math.sqrt(ab) * eps - Math.sqrt(1 - ab) * x0;

/** x0_hat from a network's output at x_t. @param {string} predicts @param {number} ab @param {number} xt
 * @param {number} output */
const cleanOf = (predicts, ab, xt, output) =>
  predicts === "x0" ? output
  : predicts === "eps" ? (xt - Math.sqrt(1 - ab) * output) / Math.sqrt(ab)
  : Math.sqrt(ab) * xt - Math.sqrt(1 - ab) * output;

/** eps_hat from x0_hat at x_t, t >= 1. @param {number} ab @param {number} xt @param {number} x0 */
const noiseOf = (ab, xt, x0) => (xt - Math.sqrt(ab) * x0) / Math.sqrt(1 - ab);

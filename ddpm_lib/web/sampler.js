"use strict";
// The reverse process of ddpm_lib/sampling.py: times, and one step of DDPM or DDIM.

/** T = t_0 > t_1 > ... > 0 in `steps` nearly equal strides; halves go to the even number, as in Python.
 * @param {number} T @param {number} steps @returns {number[]} */
function timesteps(T, steps) {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const exact = (T * (steps - i)) / steps, low = Math.floor(exact);
    return exact - low === 0.5 ? low + (low % 2) : Math.round(exact);
  });
}

/**
 * One step from t to s < t: x_s = sqrt(alpha_bar_s) x0_hat + sqrt(1 - alpha_bar_s - sigma^2) eps_hat + sigma z, where
 * sigma^2 is eta^2 times the posterior's variance (DDIM, eq. 12 and 16). With eta = 1 it is DDPM's step.
 * @param {Float32Array | Float64Array} alphaBar @param {Float32Array} xt @param {Float32Array} x0 the prediction
 * @param {number} t @param {number} s @param {number} eta @param {Float32Array} z @returns {Float32Array}
 */
function reverseStep(alphaBar, xt, x0, t, s, eta, z) {
  const at = alphaBar[t], as = alphaBar[s];
  const variance = (eta ** 2 * (1 - as) * (1 - at / as)) / (1 - at);
  const toEps = Math.sqrt(Math.max(1 - as - variance, 0)) / Math.sqrt(1 - at), sigma = Math.sqrt(variance);
  return xt.map((x, i) => Math.sqrt(as) * x0[i] + toEps * (x - Math.sqrt(at) * x0[i]) + sigma * z[i]);
}

/** x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps. @param {number} ab alpha_bar_t
 * @param {Float32Array} x0 @param {Float32Array} eps */
const qSample = (ab, x0, eps) => x0.map((x, i) => Math.sqrt(ab) * x + Math.sqrt(1 - ab) * eps[i]);

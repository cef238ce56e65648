"use strict";
// Editing with the same network (ddpm_lib/evaluate/editing.py): the way up, from a picture to the noise that it comes from.

/**
 * One step of the ODE from s up to t: u_t = u_s + (sigma_t - sigma_s) eps_hat for u = x / sqrt(alpha_bar) (DDIM, section 4.3).
 * @param {Float32Array | Float64Array} alphaBar @param {Float32Array} xs @param {Float32Array} x0 the prediction at (x_s, t)
 * @param {number} s @param {number} t @returns {Float32Array}
 */
function climb(alphaBar, xs, x0, s, t) {
  const as = alphaBar[s], at = alphaBar[t], root = Math.sqrt(at);
  const more = (Math.sqrt(1 - at) - Math.sqrt((at / as) * (1 - as))) / Math.sqrt(1 - at);
  return xs.map((x, i) => Math.sqrt(at / as) * x + more * (x - root * x0[i]));
}

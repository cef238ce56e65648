"use strict";
// Editing with the same network (ddpm_lib/evaluate): the way up from a picture to its noise, and a wish that is followed.

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

/**
 * A wish, and how strongly it is followed: a slant, or ink where `cares` is 1 and `target` is 1, and none where it is -1.
 * @typedef {{ loss: "slant" | "ink", scale: number, wish?: number, target?: Float32Array, cares?: Float32Array }} Steer
 */

/** How far x_t is shifted along the wish's gradient, root mean square of a pixel. */
const SHIFT = 0.05;

/**
 * x0_hat of the noise eps_hat + scale sqrt(1 - alpha_bar) grad loss, with one more forward pass in the place of a backward
 * one: of the best denoiser the Jacobian is symmetric, so that the gradient is what x0_hat gains along the loss's own.
 * @param {UNet} net @param {Float32Array} alphaBar @param {Float32Array} xt @param {number} t @param {number[]} ys
 * @param {number} w @param {Steer} steer @returns {Float32Array}
 */
function steered(net, alphaBar, xt, t, ys, w, { loss, scale, wish = 0, target = xt, cares = xt }) {
  const x0 = denoise(net, alphaBar, xt, t, ys, w, Infinity), size = x0.length / ys.length, shifted = xt.slice();
  const over = ys.map((_, image) => {
    const at = image * size, one = x0.subarray(at, at + size);
    const slope = loss === "slant" ? slanted(one, net.shape[2], wish).slope : inkSlope(one, target, cares);
    const rms = Math.max(1e-12, Math.sqrt(slope.reduce((sum, v) => sum + v * v, 0) / size));
    slope.forEach((v, i) => (shifted[at + i] += (SHIFT / rms) * v));
    return rms / SHIFT;
  });
  const ahead = denoise(net, alphaBar, shifted, t, ys, w, Infinity), ab = alphaBar[t], factor = (scale * (1 - ab)) / Math.sqrt(ab);
  return x0.map((v, i) => Math.max(-1, Math.min(1, v - factor * (ahead[i] - v) * over[Math.floor(i / size)])));
}

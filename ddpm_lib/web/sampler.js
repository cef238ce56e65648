"use strict";
// The reverse process of ddpm_lib/sampling.py: times, noise, and one step of DDPM or DDIM.

/** T = t_0 > t_1 > ... > 0 in `steps` nearly equal strides; halves go to the even number, as in Python.
 * @param {number} T @param {number} steps @returns {number[]} */
function timesteps(T, steps) {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const exact = (T * (steps - i)) / steps, low = Math.floor(exact);
    return exact - low === 0.5 ? low + (low % 2) : Math.round(exact);
  });
}

/**
 * Standard normal numbers: xoshiro128** (Blackman and Vigna 2018), its state filled from the seed by splitmix32,
 * and Box and Muller's transform (1958).
 */
class Normal {
  /** @param {number} seed */
  constructor(seed) {
    let z = seed | 0;
    this.s = Uint32Array.from({ length: 4 }, () => {
      let x = (z = (z + 0x9e3779b9) | 0);
      x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
      return x ^ (x >>> 15);
    });
  }

  /** The next 32 random bits. */
  bits() {
    const { s } = this;
    const r = Math.imul(s[1], 5), result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0, shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** @param {number} n @returns {Float32Array} n draws of N(0, 1) */
  draw(n) {
    const z = new Float32Array(n);
    for (let i = 0; i < n; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((this.bits() + 1) / 2 ** 32));
      const angle = (2 * Math.PI * this.bits()) / 2 ** 32;
      z[i] = radius * Math.cos(angle);
      if (i + 1 < n) z[i + 1] = radius * Math.sin(angle);
    }
    return z;
  }
}

/**
 * x0_hat at (x_t, t), limited to [-1, 1]. With a class and w, guided: (1 + w) output(y) - w output(no class).
 * @param {UNet} net @param {Float32Array} alphaBar
 * @param {Float32Array} xt @param {number} t @param {number} y @param {number} w @returns {Float32Array}
 */
function denoise(net, alphaBar, xt, t, y, w) {
  let output = net.forward(xt, t, y);
  if (w && y >= 0) {
    const without = net.forward(xt, t, -1);
    output = output.map((v, i) => (1 + w) * v - w * without[i]);
  }
  const a = Math.sqrt(alphaBar[t]), b = Math.sqrt(1 - alphaBar[t]);
  const { predicts } = net.config;
  return output.map((v, i) => {
    const x0 = predicts === "x0" ? v : predicts === "eps" ? (xt[i] - b * v) / a : a * xt[i] - b * v;
    return Math.max(-1, Math.min(1, x0));
  });
}

/**
 * One step from t to s < t: x_s = sqrt(alpha_bar_s) x0_hat + sqrt(1 - alpha_bar_s - sigma^2) eps_hat + sigma z, where
 * sigma^2 is eta^2 times the posterior's variance (DDIM, eq. 12 and 16). With eta = 1 it is DDPM's step.
 * @param {Float32Array} alphaBar @param {Float32Array} xt @param {Float32Array} x0 the prediction
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

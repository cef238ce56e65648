"use strict";
// Walks from noise to data with any x0_hat: DDPM and DDIM (sampler.js), and Heun's steps on the ODE (ddpm_lib/flow.py).

const WALKS = ["ddpm", "ddim", "heun"];

/**
 * One step from t to s < t. `z` is fresh noise, for DDPM alone.
 * @param {string} kind @param {Float64Array} alphaBar @param {(x: Float32Array, t: number) => Float32Array} clean x0_hat
 * @param {Float32Array} xt @param {number} t @param {number} s @param {Float32Array | null} z @returns {Float32Array}
 */
function walkStep(kind, alphaBar, clean, xt, t, s, z) {
  const at = alphaBar[t], as = alphaBar[s], x0 = clean(xt, t);
  const xs = reverseStep(alphaBar, xt, x0, t, s, z ? 1 : 0, z ?? new Float32Array(xt.length));
  if (kind !== "heun" || s === 0) return xs;
  const there = clean(xs, s), keep = Math.sqrt(as / at), weight = Math.sqrt(1 - as) - Math.sqrt((as / at) * (1 - at));
  return xt.map((x, i) => keep * x + (weight * (noiseOf(at, x, x0[i]) + noiseOf(as, xs[i], there[i]))) / 2);
}

/**
 * All states of a walk of n points from noise, x_T first, and their times. @param {string} kind
 * @param {Float64Array} alphaBar @param {(x: Float32Array, t: number) => Float32Array} clean
 * @param {{ n: number, steps: number, seed: number }} options
 */
function walk(kind, alphaBar, clean, { n, steps, seed }) {
  const random = new Normal(seed), T = alphaBar.length - 1, ts = timesteps(T, Math.min(steps, T));
  const frames = [random.draw(2 * n)];
  for (let i = 0; i + 1 < ts.length; i++) {
    const z = kind === "ddpm" ? random.draw(2 * n) : null;
    frames.push(walkStep(kind, alphaBar, clean, frames[i], ts[i], ts[i + 1], z));
  }
  return { ts, frames };
}

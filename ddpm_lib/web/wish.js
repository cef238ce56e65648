"use strict";
// Wishes that no label expresses, as losses of a clean picture, and their gradients (ddpm_lib/evaluate/steering.py).

/**
 * The slant of a picture's writing, Cov(column, row) / Var(row) by its ink, and the gradient of (slant - wish)^2 in the picture.
 * @param {Float32Array} x0 one gray picture @param {number} width @param {number} wish
 * @returns {{ slant: number, slope: Float32Array }}
 */
function slanted(x0, width, wish) {
  const ink = x0.map((v) => Math.max(0, Math.min(1, (v + 1) / 2)));
  let [sum, row, column] = [1e-12, 0, 0];
  ink.forEach((v, i) => {
    sum += v;
    row += v * Math.floor(i / width);
    column += v * (i % width);
  });
  const down = (/** @type {number} */ i) => Math.floor(i / width) - row / sum, across = (/** @type {number} */ i) => (i % width) - column / sum;
  let [both, rows] = [0, 1e-12];
  ink.forEach((v, i) => {
    both += v * down(i) * across(i);
    rows += v * down(i) ** 2;
  });
  const slant = both / rows, inside = (/** @type {number} */ v) => (v >= -1 && v <= 1 ? 1 : 0); // clipped ink has no slope
  return { slant, slope: x0.map((v, i) => (inside(v) * (slant - wish) * down(i) * (across(i) - slant * down(i))) / rows) };
}

/** The gradient of the mean of ((x0 - target) / 2)^2 over the pixels that matter. @param {Float32Array} x0
 * @param {Float32Array} target 1 for ink, -1 for none @param {Float32Array} cares 1 where it matters, else 0 */
function inkSlope(x0, target, cares) {
  const many = cares.reduce((sum, v) => sum + v, 0);
  return x0.map((v, i) => (cares[i] * (v - target[i])) / (2 * many));
}

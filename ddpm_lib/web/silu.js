"use strict";
// silu(scale x + shift), v / (1 + exp(-v)) on every number of a map, and its derivative: in WebAssembly SIMD, four numbers
// at a time.

/**
 * out = silu(scale x + shift) for `pixels` pixels of c channels, c a multiple of 4. All places and lengths are in floats.
 * @typedef {(out: number, x: number, pixels: number, c: number, scale: number, shift: number, constants: number) => void} Silu
 */

/**
 * What the program needs: bounds between which exp(u) is a normal float, log2(e), 1, and the Taylor coefficients of
 * 2^f for |f| <= 1/2, the highest first, which are right to 2e-7.
 */
const CONSTANTS = [-87, 87, Math.LOG2E, 1, ...[6, 5, 4, 3, 2, 1].map((k) => {
  const factorial = Array.from({ length: k }, (_, i) => i + 1).reduce((a, b) => a * b);
  return Math.LN2 ** k / factorial;
})];

const constant = (/** @type {number} */ i) => `get constants splat ${4 * i}`;
const next = (/** @type {string} */ name, /** @type {string} */ by) => `get ${name} ${by} add set ${name}`;
/** y = exp(-v) is 2^n 2^f, where n is whole and goes into the exponent's bits (they begin at bit 23). */
const EXPONENTIAL = `
        get v vneg ${constant(0)} vmax ${constant(1)} vmin ${constant(2)} vmul set y
        get y vnearest set n  get y get n vsub set f
        ${constant(4)}
        ${[5, 6, 7, 8, 9, 3].map((i) => `get f vmul ${constant(i)} vadd`).join(" ")}
        get n vtrunc const 23 vshl viadd set y`;

function siluProgram() {
  const program = `
    loop
      const 0 set i
      loop
        get x vload 0  get scale get i add vload 0  vmul  get shift get i add vload 0  vadd set v
        ${EXPONENTIAL}
        get out get v  get y ${constant(3)} vadd vdiv vstore 0
        ${next("x", "const 16")}  ${next("out", "const 16")}  ${next("i", "const 16")}
        get i get c less br_if 0
      end
      ${next("p", "const 1")}
      get p get pixels less br_if 0
    end`;
  return assemble(["out", "x", "pixels", "c", "scale", "shift", "constants"], ["i", "p"], ["v", "y", "n", "f"], program);
}

/** @param {Heap} heap of WebAssembly @returns {Silu} */
function simdSilu(heap) {
  const program = run(heap, siluProgram());
  return (out, x, pixels, c, scale, shift, constants) =>
    program(4 * out, 4 * x, pixels, 4 * c, 4 * scale, 4 * shift, 4 * constants); // it counts bytes
}

/** dx = dx silu'(x), where silu' = s (1 + x (1 - s)) and s is the sigmoid. @param {Heap} heap of WebAssembly
 * @returns {(dx: number, x: number, length: number, constants: number) => void} lengths multiples of 4 */
function simdSiluBackward(heap) {
  const program = `
    loop
      get x vload 0 set v
      ${EXPONENTIAL}
      ${constant(3)} get y ${constant(3)} vadd vdiv set y
      get dx  get dx vload 0 get y vmul  ${constant(3)} get v ${constant(3)} get y vsub vmul vadd  vmul vstore 0
      ${next("x", "const 16")}  ${next("dx", "const 16")}
      get dx get stop less br_if 0
    end`;
  const backward = run(heap, assemble(["dx", "x", "stop", "constants"], [], ["v", "y", "n", "f"], program));
  return (dx, x, length, constants) => backward(4 * dx, 4 * x, 4 * (dx + length), 4 * constants);
}

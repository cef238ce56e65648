"use strict";
// What GroupNorm needs of a map's channels, in WebAssembly SIMD and in plain JavaScript: sums over pixels, and lines.

/**
 * `sums`: for each of c channels the sum of y over the pixels, and the sum of x y, into two places of c floats each.
 * `line`: out += p x + q y + r, with a p, a q and an r for each channel. Places are in floats.
 * @typedef {{ sums: (x: number, y: number, pixels: number, c: number, plain: number, along: number) => void,
 *   line: (out: number, x: number, y: number, pixels: number, c: number, p: number, q: number, r: number) => void }} Channels
 */

/** @param {Heap} heap @returns {Channels} */
const plainChannels = (heap) => ({
  sums(x, y, pixels, c, plain, along) {
    const { f32 } = heap;
    for (let i = 0; i < c; i++) {
      let [a, b] = [0, 0];
      for (let at = i; at < pixels * c; at += c) {
        a += f32[y + at];
        b += f32[x + at] * f32[y + at];
      }
      f32[plain + i] = a;
      f32[along + i] = b;
    }
  },
  line(out, x, y, pixels, c, p, q, r) {
    const { f32 } = heap;
    for (let at = 0; at < pixels * c; at += c)
      for (let i = 0; i < c; i++) f32[out + at + i] += f32[p + i] * f32[x + at + i] + f32[q + i] * f32[y + at + i] + f32[r + i];
  },
});

/** @param {Heap} heap of WebAssembly @returns {Channels} */
function simdChannels(heap) {
  const plain = plainChannels(heap);
  // Four channels of all pixels, then the next four. All numbers count bytes.
  const sums = run(heap, assemble(["x", "y", "pixels", "c", "plain", "along"], ["i", "p", "at"], ["a", "b", "v"], `
    loop
      get i set at  const 0 set p  get v get v vsub set a  get a set b
      loop
        get y get at add vload 0 set v
        get a get v vadd set a
        get b  get x get at add vload 0 get v vmul  vadd set b
        ${next("at", "get c")}  ${next("p", "const 1")}
        get p get pixels less br_if 0
      end
      get plain get i add get a vstore 0
      get along get i add get b vstore 0
      ${next("i", "const 16")}
      get i get c less br_if 0
    end`));
  const line = run(heap, assemble(["out", "x", "y", "pixels", "c", "p", "q", "r"], ["i", "n", "at"], ["a", "b", "d"], `
    loop
      get i set at  const 0 set n
      get p get i add vload 0 set a  get q get i add vload 0 set b  get r get i add vload 0 set d
      loop
        get out get at add
        get out get at add vload 0  get a get x get at add vload 0 vmul  vadd
        get b get y get at add vload 0 vmul  vadd  get d vadd  vstore 0
        ${next("at", "get c")}  ${next("n", "const 1")}
        get n get pixels less br_if 0
      end
      ${next("i", "const 16")}
      get i get c less br_if 0
    end`));
  return {
    sums: (x, y, pixels, c, a, b) => (c % 4 ? plain.sums(x, y, pixels, c, a, b) : sums(4 * x, 4 * y, pixels, 4 * c, 4 * a, 4 * b)),
    line: (out, x, y, pixels, c, p, q, r) =>
      c % 4 ? plain.line(out, x, y, pixels, c, p, q, r) : line(4 * out, 4 * x, 4 * y, pixels, 4 * c, 4 * p, 4 * q, 4 * r),
  };
}

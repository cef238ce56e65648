"use strict";
// A 3 x 3 convolution by Winograd's algorithm F(4 x 4, 3 x 3), as in ddpm_lib/models/winograd.py: a tile of 4 x 4 outputs
// takes 36 multiplications for each pair of an input and an output channel, in place of 144.

/**
 * What surrounds the 36 products. `input` takes a row of tiles, each 6 x 6 pixels of the framed map at x, and writes number
 * `place` of each to out + place * plane. `output` takes one tile back, and adds rows x columns pixels of its 4 x 4.
 * c is a multiple of 4 and `width` a row of the map, frame included; `temp` has room for 144. All in floats.
 * @typedef {{ input: (out: number, x: number, tiles: number, c: number, width: number, plane: number, temp: number) => void,
 *   output: (out: number, x: number, rows: number, columns: number, c: number, width: number, plane: number, temp: number) => void }} Tiles
 */

/** Pixels from one row of a framed map to the next: whole tiles, and the frame. @param {number} w */
const pitch = (w) => roundUp(4, w) + 2;
/** The tiles of n maps, rounded up to fours. @param {{ n: number, h: number, w: number }} maps */
const tilesOf = ({ n, h, w }) => roundUp(4, n * Math.ceil(h / 4) * Math.ceil(w / 4));

/** Adds the convolution of framed maps x to the maps at `out`, `wide` channels of them. @param {{ heap: Heap, product: Product,
 * tiles: Tiles }} machine @param {number} out @param {FeatureMap} x @param {number} filters what packFilters has made
 * @param {number} wide @param {number} rows a table of 0, 1, 2 ... */
function winograd({ heap, product, tiles }, out, x, filters, wide, rows) {
  const { at, n, h, w, c } = x, mark = heap.top, m = tilesOf(x), down = Math.ceil(h / 4), across = Math.ceil(w / 4), width = pitch(w) * c;
  const [before, after] = [c, wide].map((of) => m * of + 16); // the 36 places lie in different sets of the processor's cache
  const temp = heap.alloc(144), v = heap.alloc(36 * before), y = heap.zeros(36 * after);
  for (let row = 0; row < n * down; row++) {
    const top = Math.floor(row / down) * pitch(h) + 4 * (row % down);
    tiles.input(v + row * across * c, at + top * width, across, c, width, before, temp);
  }
  for (let place = 0; place < 36; place++)
    product(y + place * after, v + place * before, rows, filters + place * c * wide, m, wide, 1, c, c);
  for (let row = 0, from = y; row < n * down; row++) {
    const within = 4 * (row % down), top = Math.floor(row / down) * h + within;
    for (let left = 0; left < w; left += 4, from += wide)
      tiles.output(out + (top * w + left) * wide, from, Math.min(4, h - within), Math.min(4, w - left), wide, w * wide, after, temp);
  }
  heap.top = mark;
}

/** G w G^T of all filters of a layer: 36 matrices of c rows and n columns, in panels. @param {Heap} heap @param {number} n
 * @param {number} c @param {Float32Array} w as torch lays it out @returns {number} their place */
function packFilters(heap, n, c, w) {
  const begin = heap.alloc(36 * c * n), { f32 } = heap, d = new Float64Array(36);
  /** G of the three numbers in d from `at` on. @param {number} at @param {number} by */
  const filtered = (at, by) => {
    const a = d[at] / 24, b = d[at + by] / 12, v = d[at + 2 * by], e = 4 * a + v / 6, f = a + v / 6;
    d[at] = 6 * a; d[at + by] = -e - 2 * b; d[at + 2 * by] = 2 * b - e; d[at + 3 * by] = f + b; d[at + 4 * by] = f - b; d[at + 5 * by] = v;
  };
  for (let j = 0, at = 0; j < n; j++)
    for (let i = 0; i < c; i++, at += 9) {
      for (let k = 0; k < 3; k++) {
        d[k] = w[at + k]; d[6 + k] = w[at + 3 + k]; d[12 + k] = w[at + 6 + k];
        filtered(k, 6);
      }
      for (let k = 0; k < 36; k += 6) filtered(k, 1);
      for (let k = 0, to = begin + (j >> 3) * 8 * c + 8 * i + (j & 7); k < 36; k++, to += c * n) f32[to] = d[k];
    }
  return begin;
}

/** B^T d of six vectors d0 ... d5, by sums alone. @param {(i: number, value: string) => string} store */
const INWARDS = (store) => `
  get d4 get d2 vsub set a  get d3 get d1 vsub set b  get b get b vadd set b
  ${store(3, "get a get b vadd")}  ${store(4, "get a get b vsub")}
  ${store(5, "get d5 get d3 vsub get b get b vadd vsub")}
  get d0 get d2 vsub set b  get b get b vadd set b  ${store(0, "get b get b vadd get a vadd")}
  get d2 get d2 vadd set a  get d4 get a get a vadd vsub set a
  get d1 get d1 vadd set b  get d3 get b get b vadd vsub set b
  ${store(1, "get a get b vadd")}  ${store(2, "get a get b vsub")}`;

/** A^T d. @param {(i: number, value: string) => string} store */
const OUTWARDS = (store) => `
  get d1 get d2 vadd set a  get d3 get d4 vadd set b  ${store(0, "get d0 get a vadd get b vadd")}
  get b get b vadd set b  ${store(2, "get a get b get b vadd vadd")}
  get d1 get d2 vsub set a  get d3 get d4 vsub set b  get b get b vadd set b  ${store(1, "get a get b vadd")}
  get b get b vadd set b  ${store(3, "get a get b get b vadd vadd get d5 vadd")}`;

/** @param {Heap} heap of WebAssembly @returns {Tiles} */
function simdTiles(heap) {
  const six = (/** @type {(i: number) => string} */ f) => [0, 1, 2, 3, 4, 5].map(f).join(" ");
  const repeat = (/** @type {string} */ body, /** @type {string} */ name, /** @type {string} */ end, by = "const 1") =>
    `const 0 set ${name} loop ${body} ${next(name, by)} get ${name} ${end} less br_if 0 end`;
  /** Columns of six, from pointers q0 ... q5 that go on `by`, into temp. @type {(way: typeof INWARDS, by: string) => string} */
  const columns = (way, by) => `get temp set o ${repeat(`
    ${six((i) => `get q${i} vload 0 set d${i}`)} ${way((i, value) => `get o ${value} vstore ${96 * i}`)}
    ${next("o", "const 16")} ${six((i) => next(`q${i}`, by))}`, "j", "const 6")} get temp set o`;
  const pointers = (/** @type {string} */ first, /** @type {string} */ by) =>
    `get ${first} set q0 ${[1, 2, 3, 4, 5].map((i) => `get q${i - 1} ${by} add set q${i}`).join(" ")}`;
  const row = `${six((i) => `get o vload ${16 * i} set d${i}`)} ${next("o", "const 96")}`;
  const integers = ["i", "j", "k", "t", "o", "p", "s", "q0", "q1", "q2", "q3", "q4", "q5"];
  const vectors = ["a", "b", "d0", "d1", "d2", "d3", "d4", "d5"];
  const input = run(heap, assemble(["out", "x", "tiles", "c", "width", "plane", "temp"], integers, vectors, repeat(`
    ${repeat(`${pointers("x", "get width")} ${columns(INWARDS, "get c")} get out set p
      ${repeat(`${row} ${INWARDS((i, value) => `get p get plane const ${i} mul add ${value} vstore 0`)} ${next("p", "get plane const 6 mul")}`, "j", "const 6")}
      ${next("x", "const 16")} ${next("out", "const 16")}`, "i", "get c", "const 16")}
    ${next("x", "get c const 3 mul")}`, "t", "get tiles")));
  const output = run(heap, assemble(["out", "x", "rows", "columns", "c", "width", "plane", "temp"], integers, vectors, repeat(`
    ${pointers("x", "get plane const 6 mul")} ${columns(OUTWARDS, "get plane")} get out set p
    ${repeat(`${row} ${OUTWARDS((i, value) => `get temp ${value} vstore ${384 + 16 * i}`)}
      get p set s get temp set q0
      ${repeat(`get s get s vload 0 get q0 vload 384 vadd vstore 0 ${next("s", "get c")} ${next("q0", "const 16")}`, "k", "get columns")}
      ${next("p", "get width")}`, "j", "get rows")}
    ${next("x", "const 16")} ${next("out", "const 16")}`, "i", "get c", "const 16")));
  return {
    input: (out, x, tiles, c, width, plane, temp) => input(4 * out, 4 * x, tiles, 4 * c, 4 * width, 4 * plane, 4 * temp),
    output: (out, x, rows, columns, c, width, plane, temp) => output(4 * out, 4 * x, rows, columns, 4 * c, 4 * width, 4 * plane, 4 * temp),
  };
}

/** @param {Heap} heap @returns {Tiles} */
const plainTiles = (heap) => {
  const d = new Float64Array(36);
  const inwards = (/** @type {number} */ at, /** @type {number} */ by) => {
    const d0 = d[at], d1 = d[at + by], d2 = d[at + 2 * by], d3 = d[at + 3 * by], d4 = d[at + 4 * by], d5 = d[at + 5 * by];
    const a = d4 - d2, b = 2 * (d3 - d1), e = d4 - 4 * d2, f = d3 - 4 * d1;
    d[at] = 4 * (d0 - d2) + a; d[at + by] = e + f; d[at + 2 * by] = e - f;
    d[at + 3 * by] = a + b; d[at + 4 * by] = a - b; d[at + 5 * by] = d5 - d3 - 2 * b;
  };
  const outwards = (/** @type {number} */ at, /** @type {number} */ by) => {
    const d1 = d[at + by], d2 = d[at + 2 * by], d3 = d[at + 3 * by], d4 = d[at + 4 * by];
    const a = d1 + d2, b = d3 + d4, e = d1 - d2, f = 2 * (d3 - d4);
    d[at] += a + b; d[at + by] = e + f; d[at + 2 * by] = a + 4 * b; d[at + 3 * by] = e + 4 * f + d[at + 5 * by];
  };
  return {
    input(out, x, tiles, c, width, plane) {
      const { f32 } = heap;
      for (let tile = 0; tile < tiles; tile++, x += 4 * c)
        for (let i = 0; i < c; i++, out++) {
          for (let row = x + i, k = 0; k < 36; row += width) for (let j = 0, from = row; j < 6; j++, from += c) d[k++] = f32[from];
          for (let j = 0; j < 6; j++) inwards(j, 6);
          for (let j = 0; j < 36; j += 6) inwards(j, 1);
          for (let k = 0, to = out; k < 36; k++, to += plane) f32[to] = d[k];
        }
    },
    output(out, x, rows, columns, c, width, plane) {
      const { f32 } = heap;
      for (let i = 0; i < c; i++) {
        for (let k = 0, from = x + i; k < 36; k++, from += plane) d[k] = f32[from];
        for (let j = 0; j < 6; j++) outwards(j, 6);
        for (let row = 0, to = out + i; row < rows; row++, to += width) {
          outwards(6 * row, 1);
          for (let k = 0; k < columns; k++) f32[to + k * c] += d[6 * row + k];
        }
      }
    },
  };
};

"use strict";
// The matrix product, out += A B: in WebAssembly SIMD, and in plain JavaScript where there is none.

/**
 * out[i, j] += sum over k of A[i, k] B[k, j]. All places and lengths are in floats.
 *
 * Row i of A need not lie in one piece: it is `taps` runs of `run` floats, and run number `tap` begins at
 * a + pitch * rows[i >> 2][tap][i & 3]. So a convolution is a product without a copy of its windows.
 * B lies in panels of eight columns, b[j >> 3][k][j & 7]; m is a multiple of 4 and n, out's width, of 8.
 * @typedef {(out: number, a: number, rows: number, b: number, m: number, n: number,
 *   taps: number, run: number, pitch: number) => void} Product
 */

/** Plain JavaScript: two rows by four columns at a time. @param {Heap} heap @returns {Product} */
const plainProduct = (heap) => (out, a, rows, b, m, n, taps, run, pitch) => {
  const { f32, i32 } = heap;
  [out, a, rows, b, m, n, taps, run, pitch] = [out | 0, a | 0, rows | 0, b | 0, m | 0, n | 0, taps | 0, run | 0, pitch | 0];
  for (let j = 0; j < n; j += 4) {
    for (let i = 0; i < m; i += 2) {
      const o = out + i * n + j, q = o + n;
      let c0 = f32[o], c1 = f32[o + 1], c2 = f32[o + 2], c3 = f32[o + 3];
      let d0 = f32[q], d1 = f32[q + 1], d2 = f32[q + 2], d3 = f32[q + 3];
      let k = b + (j >> 3) * 8 * taps * run + (j & 4);
      for (let tap = 0; tap < taps; tap++) {
        const entry = rows + (i >> 2) * 4 * taps + 4 * tap + (i & 3);
        let p = a + pitch * i32[entry], r = a + pitch * i32[entry + 1];
        for (const end = p + run; p < end; p++, r++, k += 8) {
          const x = f32[p], y = f32[r];
          const b0 = f32[k], b1 = f32[k + 1], b2 = f32[k + 2], b3 = f32[k + 3];
          c0 += x * b0; c1 += x * b1; c2 += x * b2; c3 += x * b3;
          d0 += y * b0; d1 += y * b1; d2 += y * b2; d3 += y * b3;
        }
      }
      f32[o] = c0; f32[o + 1] = c1; f32[o + 2] = c2; f32[o + 3] = c3;
      f32[q] = d0; f32[q + 1] = d1; f32[q + 2] = d2; f32[q + 3] = d3;
    }
  }
};

/** The function of a program, in the heap's memory. @param {Heap} heap @param {Uint8Array<ArrayBuffer>} program */
function run(heap, program) {
  const imports = { m: { m: /** @type {WebAssembly.Memory} */ (heap.memory) } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), imports);
  return /** @type {(...args: number[]) => void} */ (exports.f);
}

/** WebAssembly: the kernel, in the heap's memory. @param {Heap} heap @param {Uint8Array<ArrayBuffer>} program
 * @returns {Product} */
function simdProduct(heap, program) {
  const run_kernel = run(heap, program);
  return (out, a, rows, b, m, n, taps, run, pitch) =>
    run_kernel(4 * out, 4 * a, 4 * rows, 4 * b, m, 4 * n, taps, 4 * run, 4 * pitch); // it counts bytes
}

/**
 * The program of the kernel. A tile of four rows and eight columns stays in eight registers, c0 to d3, while
 * k runs. Tiles go down a panel of B before the next panel, so that the panel stays in the first cache.
 * There are two of it: in the first a product and its sum are one instruction, of the extension "relaxed SIMD".
 */
function kernel() {
  const four = (/** @type {(r: number) => string} */ f) => [0, 1, 2, 3].map(f).join(" ");
  const step = (/** @type {string} */ name, /** @type {string} */ by) => `get ${name} ${by} add set ${name}`;
  const row = (/** @type {number} */ r) => `get o get n const ${r} mul add`;
  const madd = (/** @type {string} */ c, /** @type {string} */ b) => `get x get ${b} vmul get ${c} vadd set ${c}`;
  const program = `
    loop
      get rows set t  get out set o  const 0 set i
      loop
        get b set k  const 0 set tap
        ${four((r) => `${row(r)} vload 0 set c${r}  ${row(r)} vload 16 set d${r}`)}
        loop
          ${four((r) => `get a get t load ${4 * r} get pitch mul add set p${r}`)}
          get p0 get run add set stop
          loop
            get k vload 0 set b0  get k vload 16 set b1
            ${four((r) => `get p${r} splat 0 set x  ${madd(`c${r}`, "b0")} ${madd(`d${r}`, "b1")}`)}
            ${step("k", "const 32")}  ${four((r) => step(`p${r}`, "const 4"))}
            get p0 get stop less br_if 0
          end
          ${step("t", "const 16")}  ${step("tap", "const 1")}
          get tap get taps less br_if 0
        end
        ${four((r) => `${row(r)} get c${r} vstore 0  ${row(r)} get d${r} vstore 16`)}
        ${step("o", "get n const 4 mul")}  ${step("i", "const 4")}
        get i get m less br_if 0
      end
      get k set b  ${step("out", "const 32")}  ${step("j", "const 32")}
      get j get n less br_if 0
    end`;
  const arguments_ = ["out", "a", "rows", "b", "m", "n", "taps", "run", "pitch"];
  const integers = ["t", "o", "i", "j", "k", "tap", "stop", "p0", "p1", "p2", "p3"];
  const vectors = ["x", "b0", "b1", "c0", "c1", "c2", "c3", "d0", "d1", "d2", "d3"];
  const fused = program.replaceAll(/vmul (get \w+) vadd/g, "$1 vmadd");
  return [fused, program].map((text) => assemble(arguments_, integers, vectors, text));
}

/** @type {Record<string, number[]>} */
const OPCODES = {
  ...{ loop: [0x03, 0x40], end: [0x0b], br_if: [0x0d], get: [0x20], set: [0x21] },
  ...{ const: [0x41], load: [0x28, 2], less: [0x49], add: [0x6a], mul: [0x6c] }, // on integers of 32 bits
  ...{ vload: [0xfd, 0x00, 2], splat: [0xfd, 0x09, 2], vstore: [0xfd, 0x0b, 2] }, // on four floats of 32 bits
  ...{ vadd: [0xfd, 0xe4, 0x01], vmul: [0xfd, 0xe6, 0x01], vmadd: [0xfd, 0x85, 0x02], vsub: [0xfd, 0xe5, 0x01] },
  ...{ vdiv: [0xfd, 0xe7, 0x01], vneg: [0xfd, 0xe1, 0x01], vmin: [0xfd, 0xe8, 0x01], vmax: [0xfd, 0xe9, 0x01] },
  ...{ vnearest: [0xfd, 0x6a], vtrunc: [0xfd, 0xf8, 0x01] }, // to whole floats; to integers
  ...{ vshl: [0xfd, 0xab, 0x01], viadd: [0xfd, 0xae, 0x01] }, // on four integers of 32 bits
};

/**
 * An assembler: a WebAssembly module with one function, "f", on an imported memory. Its text is a list of
 * instructions, numbers and names of variables, for a machine with a stack: `get a const 1 add set a` is a = a + 1.
 * @param {string[]} parameters integers @param {string[]} integers @param {string[]} vectors
 * @param {string} text @returns {Uint8Array<ArrayBuffer>}
 */
function assemble(parameters, integers, vectors, text) {
  /** A whole number in seven bits a byte, the lowest first. @type {(n: number) => number[]} */
  const number = (n) => (n < 64 ? [n] : [(n & 127) | 128, ...number(n >> 7)]);
  const list = (/** @type {number[][]} */ items) => [...number(items.length), ...items.flat()];
  const bytes = (/** @type {number[]} */ body) => [...number(body.length), ...body];
  const names = [...parameters, ...integers, ...vectors];
  const words = text.trim().split(/\s+/);
  const code = words.flatMap((w) => OPCODES[w] ?? number(names.includes(w) ? names.indexOf(w) : Number(w)));
  const [i32, v128] = [0x7f, 0x7b];
  const locals = list([...integers.map(() => [1, i32]), ...vectors.map(() => [1, v128])]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1; then sections: kind, length, content
    ...[1, ...bytes([1, 0x60, ...list(parameters.map(() => [i32])), 0])], // one type: (i32, ...) -> ()
    ...[2, ...bytes([1, ...[1, 0x6d, 1, 0x6d], 2, 0, 1])], // the memory, imported from "m" under the name "m"
    ...[3, ...bytes([1, 0])], // one function, of that type
    ...[7, ...bytes([1, ...[1, 0x66], 0, 0])], // exported as "f"
    ...[10, ...bytes(list([bytes([...locals, ...code, 0x0b])]))], // its code
  ]);
}

/** A heap and the fastest product that this browser has. @param {boolean} plain whether to do without WebAssembly */
function fastestProduct(plain = false) {
  try {
    const program = kernel().find((bytes) => !plain && WebAssembly.validate(bytes));
    if (program) {
      const heap = new Heap(true);
      return { heap, product: simdProduct(heap, program), silu: simdSilu(heap), kind: "wasm-simd" };
    }
  } catch {
    // no WebAssembly here, or a page's policy forbids it
  }
  const heap = new Heap(false);
  return { heap, product: plainProduct(heap), silu: null, kind: "javascript" };
}

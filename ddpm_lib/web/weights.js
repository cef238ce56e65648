"use strict";
// The weights as a page receives them: checked, decoded and rounded back to floats.

/**
 * Where a tensor lies in the data: `offset` in bytes; with `bits` 8, first a float32 scale for each of shape[0] rows,
 * then int8 numbers, of which each stands for scale * number; with `bits` 32, plain float32.
 * @typedef {{ name: string, shape: number[], bits: number, offset: number }} Entry
 * @typedef {{ format: string, config: Config, shape: number[], T: number, alpha_bar: string, tensors: Entry[],
 *   data: string, length: number, crc32: number }} Detail
 */

const ANEW = "load the page again, or export them again";

/** @param {string} text base64 @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(text) {
  try {
    const binary = atob(text), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    throw Error(`The weights are damaged: ${ANEW}.`);
  }
}

/** The CRC-32 of zip and PNG (zlib.crc32 in Python). @param {Uint8Array} bytes */
function crc32(bytes) {
  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** @param {Detail} detail @returns {Map<string, Tensor>} */
function decode({ format, tensors, data, length, crc32: expected }) {
  if (format !== "ddpm_lib/web/1") throw Error(`The weights have the format ${format}, not ddpm_lib/web/1: ${AGAIN}.`);
  const bytes = bytesOf(data);
  if (bytes.length !== length)
    throw Error(`The weights are cut short (${bytes.length} of ${length} bytes): ${ANEW}.`);
  if (crc32(bytes) !== expected) throw Error(`The weights are damaged (their checksum is wrong): ${ANEW}.`);
  const { buffer } = bytes;
  return new Map(
    tensors.map(({ name, shape, bits, offset }) => {
      const size = shape.reduce((a, b) => a * b, 1), rows = shape[0];
      if (bits === 32) return [name, { shape, data: new Float32Array(buffer, offset, size) }];
      const scale = new Float32Array(buffer, offset, rows), whole = new Int8Array(buffer, offset + 4 * rows, size);
      const data = new Float32Array(size), columns = size / rows;
      for (let i = 0, row = 0; row < rows; row++)
        for (const end = i + columns; i < end; i++) data[i] = whole[i] * scale[row];
      return [name, { shape, data }];
    }),
  );
}

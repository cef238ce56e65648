"use strict";
// The noise of a seed, the same numbers as Python's, so that a seed names one picture in both.

/**
 * Standard normal numbers: those that torch.randn draws one after another, in float32, from
 * torch.Generator().manual_seed(seed) on a CPU. The Mersenne Twister (Matsumoto and Nishimura 1998) makes the bits, the
 * transform of Box and Muller (1958) the Gaussians. Torch's cosines differ from Math.cos in their last bits: a draw is
 * 1e-6 off at most.
 */
class Normal {
  /** @param {number} seed */
  constructor(seed) {
    const s = (this.state = new Uint32Array(624));
    s[0] = seed;
    for (let i = 1; i < 624; i++) s[i] = Math.imul(1812433253, s[i - 1] ^ (s[i - 1] >>> 30)) + i;
    this.next = 624;
    /** The second of a pair of single draws. @type {number | null} */
    this.spare = null;
  }

  /** The next 32 random bits. */
  bits() {
    const s = this.state;
    if (this.next === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
        s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.next = 0;
    }
    let y = s[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** One draw, in double precision, from 53 bits a number; every other one is the spare of the one before. */
  single() {
    const { spare } = this;
    this.spare = null;
    if (spare !== null) return spare;
    const uniform = () => ((this.bits() & 0x1fffff) * 2 ** 32 + this.bits()) / 2 ** 53;
    const angle = 2 * Math.PI * uniform(), radius = Math.sqrt(-2 * Math.log1p(-uniform()));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Turns sixteen uniform numbers, from z[at] on, into Gaussians: the first eight are the radii of
   * eight pairs and the last eight their angles. @param {Float32Array} z @param {number} at */
  gauss(z, at) {
    const { fround } = Math;
    for (let i = at; i < at + 8; i++) {
      const radius = fround(Math.sqrt(fround(-2 * fround(Math.log(1 - z[i])))));
      const angle = fround(fround(2 * Math.PI) * z[i + 8]);
      z[i] = radius * fround(Math.cos(angle));
      z[i + 8] = radius * fround(Math.sin(angle));
    }
  }

  /** @param {number} n @returns {Float32Array} n draws of N(0, 1) */
  draw(n) {
    const z = new Float32Array(n);
    if (n < 16) return z.map(() => this.single());
    const uniform = () => (this.bits() & 0xffffff) / 2 ** 24;
    for (let i = 0; i < n; i++) z[i] = uniform();
    for (let at = 0; at + 16 <= n; at += 16) this.gauss(z, at);
    if (n % 16) {
      // What is left over comes with the last sixteen, which are drawn again.
      for (let i = n - 16; i < n; i++) z[i] = uniform();
      this.gauss(z, n - 16);
    }
    return z;
  }
}

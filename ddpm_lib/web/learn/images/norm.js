"use strict";
// GroupNorm and activation on the maps of a batch, forward and backward.

/**
 * GroupNorm of c channels: in a block of weights the factors lie at `at`, and behind them the summands.
 * @typedef {{ name: string, kind: "norm", shape: number[], c: number, groups: number, at: number }} Norm
 *
 * The norm of one image, for each channel: gain (x - mean) over + offset.
 * @typedef {{ mean: Float64Array, over: Float64Array, gain: Float64Array, offset: Float64Array }} Normed
 */

class NormTape extends Tape {
  /** @param {boolean} plain whether to do without WebAssembly */
  constructor(plain) {
    super(plain);
    this.channels = this.silu ? simdChannels(this.heap) : plainChannels(this.heap);
    this.siluBackward = this.silu && simdSiluBackward(this.heap);
    this.constants = this.heap.alloc(CONSTANTS.length);
    this.heap.f32.set(CONSTANTS, this.constants);
  }

  /** to = silu(factor x + summand), one of each a channel. @param {number} to @param {number} x @param {number} pixels
   * @param {number} c @param {number} factors @param {number} summands */
  dress(to, x, pixels, c, factors, summands) {
    if (this.silu) return this.silu(to, x, pixels, c, factors, summands, this.constants);
    const { f32 } = this.heap;
    for (let at = 0; at < pixels * c; at += c)
      for (let i = 0; i < c; i++) {
        const v = f32[factors + i] * f32[x + at + i] + f32[summands + i];
        f32[to + at + i] = v / (1 + Math.exp(-v));
      }
  }

  /** slope *= silu'(v). @param {number} slope @param {number} v @param {number} length */
  undress(slope, v, length) {
    if (this.siluBackward) return this.siluBackward(slope, v, length, this.constants);
    const { f32 } = this.heap;
    for (let i = 0; i < length; i++) {
      const u = f32[v + i], s = 1 / (1 + Math.exp(-u));
      f32[slope + i] *= s * (1 + u * (1 - s));
    }
  }

  /** silu(x). @param {Maps} x */
  activate(x) {
    const y = this.maps(x.n, x.h, x.w, x.c), pixels = x.n * x.h * x.w, length = pixels * x.c, mark = this.heap.top;
    const ones = this.heap.alloc(x.c), zeros = this.heap.zeros(x.c);
    this.heap.f32.fill(1, ones, ones + x.c);
    this.dress(y.at, x.at, pixels, x.c, ones, zeros);
    this.heap.top = mark;
    this.record(() => {
      this.undress(y.d, x.at, length);
      this.add(x.d, y.d, length);
    });
    return y;
  }

  /** GroupNorm of x, times (1 + scale) plus shift of `time` (first all scales, then all shifts) where that is given;
   * silu of it where `lit`. @param {number} block @param {Norm} layer @param {Maps} x @param {Maps | null} time @param {boolean} lit */
  norm(block, layer, x, time, lit) {
    const { c } = layer, { heap, channels } = this, y = this.maps(x.n, x.h, x.w, c), pixels = x.h * x.w, size = pixels * c;
    const mark = heap.top, [p, q, r, plain, along] = [0, 1, 2, 3, 4].map(() => heap.zeros(c)), { f32 } = heap;
    const weight = block + layer.at, kept = /** @type {Normed[]} */ ([]);
    for (let image = 0; image < x.n; image++) {
      const from = x.at + image * size, to = y.at + image * size, t = time ? time.at + 2 * image * c : 0;
      channels.sums(from, from, pixels, c, plain, along);
      const mean = this.together(plain, layer, pixels), over = this.together(along, layer, pixels);
      const gain = new Float64Array(c), offset = new Float64Array(c);
      for (let i = 0; i < c; i++) {
        const more = time ? 1 + f32[t + i] : 1;
        over[i] = 1 / Math.sqrt(over[i] - mean[i] ** 2 + 1e-5);
        gain[i] = f32[weight + i] * more;
        offset[i] = f32[weight + c + i] * more + (time ? f32[t + c + i] : 0);
        f32[p + i] = gain[i] * over[i];
        f32[r + i] = offset[i] - mean[i] * gain[i] * over[i];
      }
      if (this.recording) kept.push({ mean, over, gain, offset });
      if (lit) this.dress(to, from, pixels, c, p, r);
      else {
        f32.fill(0, to, to + size);
        channels.line(to, from, from, pixels, c, p, q, r);
      }
    }
    heap.top = mark;
    this.record(() => {
      const room = [heap.alloc(size), ...Array.from({ length: 5 }, () => heap.alloc(c))];
      kept.forEach((normed, image) => this.normBack(layer, x, y, time, lit, image, normed, room));
    });
    return y;
  }

  /** For each channel the sum over its group, by the numbers of a group. @param {number} sums @param {Norm} layer
   * @param {number} pixels */
  together(sums, { c, groups }, pixels) {
    const each = c / groups, mean = new Float64Array(c), { f32 } = this.heap;
    for (let first = 0; first < c; first += each) {
      let sum = 0;
      for (let i = first; i < first + each; i++) sum += f32[sums + i];
      mean.fill(sum / (each * pixels), first, first + each);
    }
    return mean;
  }

  /** Back through the norm of one image. @param {Norm} layer @param {Maps} x @param {Maps} y @param {Maps | null} time
   * @param {boolean} lit @param {number} image @param {Normed} normed @param {number[]} room for an image, and five times
   * for a number a channel */
  normBack(layer, x, y, time, lit, image, { mean, over, gain, offset }, [v, p, q, r, plain, along]) {
    const { heap: { f32 }, channels, weights, gradients } = this, { c, at } = layer, pixels = x.h * x.w, size = pixels * c;
    const from = x.at + image * size, slope = y.d + image * size;
    if (lit) {
      f32.fill(0, q, q + c);
      f32.fill(0, v, v + size);
      for (let i = 0; i < c; i++) {
        f32[p + i] = gain[i] * over[i];
        f32[r + i] = offset[i] - mean[i] * gain[i] * over[i];
      }
      channels.line(v, from, from, pixels, c, p, q, r);
      this.undress(slope, v, size);
    }
    channels.sums(from, slope, pixels, c, plain, along);
    for (let i = 0; i < c; i++) {
      const straight = f32[plain + i], slanted = (f32[along + i] - mean[i] * straight) * over[i]; // times (x - mean) over
      let more = 1;
      if (time) {
        const place = 2 * image * c + i;
        more += f32[time.at + place];
        f32[time.d + place] += slanted * f32[weights + at + i] + straight * f32[weights + at + c + i];
        f32[time.d + place + c] += straight;
      }
      f32[gradients + at + i] += slanted * more;
      f32[gradients + at + c + i] += straight * more;
      f32[plain + i] = straight * gain[i];
      f32[along + i] = slanted * gain[i];
    }
    // over (gain slope - a - b (x - mean) over), where a and b are the means over a group of what stands there now.
    const a = this.together(plain, layer, pixels), b = this.together(along, layer, pixels);
    for (let i = 0; i < c; i++) {
      f32[p + i] = over[i] * gain[i];
      f32[q + i] = -b[i] * over[i] ** 2;
      f32[r + i] = b[i] * over[i] ** 2 * mean[i] - a[i] * over[i];
    }
    channels.line(x.d + image * size, slope, from, pixels, c, p, q, r);
  }
}

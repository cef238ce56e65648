// The forward process: noise that Python draws alike, and what it makes of an image.

// Signal to noise in decibels, for alpha bar.
const decibels = (ab) => 10 * Math.log10(ab / (1 - ab));
const shownSnr = (ab) => `${Number.isFinite(decibels(ab)) ? shown(decibels(ab), 1) : ab ? "\u221e" : "\u2212\u221e"} dB`;

// x_t = sqrt(alpha bar) x_0 + sqrt(1 - alpha bar) eps.
const mixed = (ab, x0, eps) => x0.map((x, i) => Math.sqrt(ab) * x + Math.sqrt(1 - ab) * eps[i]);

// Standard Gaussian noise, the same numbers as noise.py: mulberry32, then Box-Muller.
function noise(seed, n) {
  let a = seed | 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), a | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  const eps = new Float64Array(n + (n % 2));
  for (let i = 0; i < n; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    eps[i] = radius * Math.cos(angle);
    eps[i + 1] = radius * Math.sin(angle);
  }
  return eps.subarray(0, n);
}

const newNoise = (model, put) => button("New noise", () => put({ seed: (model.get("seed") + 1) % 2 ** 31 }));

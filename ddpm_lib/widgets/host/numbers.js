// Shared by the widgets: numbers from Python and for people, and noise that Python draws alike. No element.

function bytes(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

const floats = (base64) => new Float32Array(bytes(base64).buffer);
const doubles = (base64) => new Float64Array(bytes(base64).buffer);

const upTo = (from, to, step = 1) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);

// The place of the value that is nearest to x: the first of two.
function nearest(values, x) {
  const away = values.map((value) => Math.abs(value - x));
  return away.indexOf(Math.min(...away));
}

// A number for people: a true minus sign, and none before zero.
const shown = (value, digits) => value.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "\u2212");

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

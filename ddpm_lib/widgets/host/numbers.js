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

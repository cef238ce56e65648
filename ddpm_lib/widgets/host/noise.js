// The forward process: noise that Python draws alike, and what it makes of an image.

// Signal to noise in decibels, for alpha bar.
const decibels = (ab) => 10 * Math.log10(ab / (1 - ab));
const shownSnr = (ab) => `${Number.isFinite(decibels(ab)) ? shown(decibels(ab), 1) : ab ? "\u221e" : "\u2212\u221e"} dB`;

// x_t = sqrt(alpha bar) x_0 + sqrt(1 - alpha bar) eps.
const mixed = (ab, x0, eps) => x0.map((x, i) => Math.sqrt(ab) * x + Math.sqrt(1 - ab) * eps[i]);

// Standard Gaussian noise, the numbers of noise.py.
const noise = (seed, n) => new Normal(seed).draw(n);

const newNoise = (model, put) => button("New noise", () => put({ seed: (model.get("seed") + 1) % 2 ** 31 }));

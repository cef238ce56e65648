// The recording that stands in for the network where it cannot run.

// The frames of a recording. It holds the guesses x0_hat in 16 levels, and runs of the lowest one, the empty page,
// as 0 and their length less 1; what DDIM makes of them is worked out here. See recording.py.
function replay({ ts, n, seed, guesses }, alphaBar, size) {
  const packed = Array.from(bytes(guesses)).flatMap((byte) => [byte >> 4, byte & 15]);
  const levels = [];
  for (let i = 0; i < packed.length; i++) {
    if (packed[i]) levels.push(packed[i] / 7.5 - 1);
    else for (let length = packed[++i]; length >= 0; length--) levels.push(-1);
  }
  let xt = Float32Array.from(upTo(0, n - 1).flatMap((i) => Array.from(noise(seed + i, size))));
  const frames = [{ t: ts[0], xt: levelsOf(xt), x0: null }];
  for (let k = 1; k < ts.length; k++) {
    const [at, as] = [alphaBar[ts[k - 1]], alphaBar[ts[k]]];
    const x0 = levels.slice((k - 1) * n * size, k * n * size);
    xt = xt.map((x, i) => Math.sqrt(as) * x0[i] + (Math.sqrt(1 - as) * (x - Math.sqrt(at) * x0[i])) / Math.sqrt(1 - at));
    frames.push({ t: ts[k], xt: levelsOf(xt), x0: levelsOf(x0) });
  }
  return frames;
}

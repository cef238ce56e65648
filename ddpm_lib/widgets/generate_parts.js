// The parts of the generator: pictures in a grid, a dial, a replay of the recording.

const bytesOf = (x) => Uint8ClampedArray.from(x, (v) => (v + 1) * 127.5);

// n pictures in a square of their own, each n-th of `levels` one of them; nothing where there are none.
function gallery(width, height, label) {
  const node = h("canvas", { role: "img", "aria-label": label, class: "ddpm-gallery" });
  const show = (levels, n) => {
    const columns = Math.ceil(Math.sqrt(n));
    const side = (pixels) => columns * (pixels + 2) - 2;
    if (node.width !== side(width) || node.height !== side(height))
      Object.assign(node, { width: side(width), height: side(height) });
    const context = node.getContext("2d");
    context.clearRect(0, 0, node.width, node.height);
    for (let k = 0; levels && k < n; k++) {
      const image = context.createImageData(width, height);
      for (let i = 0; i < width * height; i++)
        image.data.set([1, 1, 1].map(() => levels[k * width * height + i]).concat(255), 4 * i);
      context.putImageData(image, (k % columns) * (width + 2), Math.floor(k / columns) * (height + 2));
    }
  };
  return { node, show };
}

// A slider with its name before it and its value after it: from `stops`, a list of values in order.
function dial(name, face, stops, { text, pick }) {
  const slider = h("input", {
    type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": name,
    oninput: () => pick(stops[slider.valueAsNumber]),
  });
  const out = h("output", { "aria-hidden": "true" });
  const node = h("div", { class: "ddpm-dial" }, h("span", { "aria-hidden": "true" }, ...face), slider, out);
  const show = (value, disabled = false) => {
    const gaps = stops.map((stop) => Math.abs(stop - value));
    slider.value = gaps.indexOf(Math.min(...gaps)); // Python may set a value between two stops
    slider.disabled = disabled;
    out.textContent = text(value);
    slider.setAttribute("aria-valuetext", text(value));
  };
  return { node, slider, show };
}

const upTo = (from, to, step) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);

// The frames of a recording. It holds the guesses x0_hat in 16 levels, and runs of the lowest one, the empty page,
// as 0 and their length less 1; what DDIM makes of them is worked out here. See generate_record.py.
function replay({ ts, n, seed, guesses }, alphaBar, size) {
  const packed = Array.from(bytes(guesses)).flatMap((byte) => [byte >> 4, byte & 15]);
  const levels = [];
  for (let i = 0; i < packed.length; i++) {
    if (packed[i]) levels.push(packed[i] / 7.5 - 1);
    else for (let length = packed[++i]; length >= 0; length--) levels.push(-1);
  }
  let xt = Float32Array.from(upTo(0, n - 1, 1).flatMap((i) => Array.from(noise(seed + i, size))));
  const frames = [{ t: ts[0], xt: bytesOf(xt), x0: null }];
  for (let k = 1; k < ts.length; k++) {
    const [at, as] = [alphaBar[ts[k - 1]], alphaBar[ts[k]]];
    const x0 = levels.slice((k - 1) * n * size, k * n * size);
    xt = xt.map((x, i) => Math.sqrt(as) * x0[i] + (Math.sqrt(1 - as) * (x - Math.sqrt(at) * x0[i])) / Math.sqrt(1 - at));
    frames.push({ t: ts[k], xt: bytesOf(xt), x0: bytesOf(x0) });
  }
  return frames;
}

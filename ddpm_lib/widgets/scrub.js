// Scrub t and watch x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps. State: scrub.py.
function render({ model, el }) {
  const [, channels, height, width] = model.get("shape");
  const size = channels * height * width;
  const images = Array.from(bytes(model.get("pixels")), (level) => level / 127.5 - 1);
  const labels = model.get("labels");
  const tables = Object.fromEntries(Object.entries(model.get("alpha_bar")).map(([k, v]) => [k, floats(v)]));
  const names = Object.keys(tables);
  const put = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const lastStep = () => tables[model.get("schedule")].length - 1;

  const signalWeight = () => h("span", { class: "ddpm-signal" }, root(alphaBarT()));
  const noiseWeight = () => h("span", { class: "ddpm-noise" }, root("1 \u2212 ", alphaBarT()));
  const equation = h(
    "div",
    { class: "ddpm-equation", role: "math", "aria-label": "x t = square root of alpha bar t, times x 0, plus square root of 1 minus alpha bar t, times epsilon" },
    symbol("x", "t"), " = ", signalWeight(), " ", symbol("x", "0"), " + ", noiseWeight(), " ", it("\u03b5"),
  );

  // The three pictures: signal + noise = x_t.
  const canvas = (label) => h("canvas", { width, height, role: "img", "aria-label": label });
  const picture = { x0: canvas("the clean image x 0"), eps: canvas("the noise epsilon"), xt: canvas("the noisy image x t") };
  const value = { signal: h("b", { class: "ddpm-signal" }), noise: h("b", { class: "ddpm-noise" }), snr: h("b") };
  const seedShown = h("span");
  const bar = (kind) => h("span", { class: `ddpm-fill ddpm-${kind}` });
  const fill = { signal: bar("signal"), noise: bar("noise"), alphaBar: bar("signal"), rest: bar("noise") };
  const panel = (name, word, image, line, ...fills) =>
    h(
      "div", { class: "ddpm-panel" },
      h("div", { class: "ddpm-name" }, name, h("span", { class: "ddpm-word" }, word)),
      image, h("div", { class: "ddpm-weight" }, ...line), h("div", { class: "ddpm-bar", "aria-hidden": "true" }, ...fills),
    );
  const operator = (sign) => h("div", { class: "ddpm-operator", "aria-hidden": "true" }, sign);
  const panels = h(
    "div", { class: "ddpm-panels" },
    panel(symbol("x", "0"), "image", picture.x0, [signalWeight(), " = ", value.signal], fill.signal),
    operator("+"),
    panel(it("\u03b5"), seedShown, picture.eps, [noiseWeight(), " = ", value.noise], fill.noise),
    operator("="),
    panel(symbol("x", "t"), "noisy image", picture.xt, ["SNR ", value.snr], fill.alphaBar, fill.rest),
  );

  // Time: alpha_bar over t, the slider right beneath it, a button that plays it.
  const curve = h("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const curves = {};
  for (const name of names) {
    const table = tables[name];
    const points = Array.from({ length: 201 }, (_, i) => {
      const share = i / 200;
      return `${share.toFixed(3)} ${(1 - table[Math.round(share * (table.length - 1))]).toFixed(4)}`;
    });
    curve.append((curves[name] = h("path", { d: `M${points.join("L")}`, "vector-effect": "non-scaling-stroke" })));
  }
  const dot = h("span", { class: "ddpm-dot" });
  const plot = h("div", { class: "ddpm-plot", "aria-hidden": "true" }, curve, dot, h("span", { class: "ddpm-axis" }, alphaBarT()));
  const slider = h("input", {
    type: "range", min: 0, step: 1, "aria-label": "time step t",
    oninput: () => { stop(); put({ t: slider.valueAsNumber }); },
  });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const player = playButton({
    at: () => model.get("t") / lastStep(),
    go: (share) => put({ t: Math.round(share * lastStep()) }),
    steps: () => lastStep(),
  });
  const stop = player.stop;

  const schedules = choice("Schedule", true, names.map((name) => ({
    name, face: segment(name),
    pick: () => put({ schedule: name, t: Math.min(model.get("t"), tables[name].length - 1) }),
  })));
  const digits = choice("Image", false, labels.map((name, digit) => {
    const face = h("canvas", { width, height, class: "ddpm-thumb", "aria-hidden": "true" });
    paint(face, images.slice(digit * size, (digit + 1) * size), channels);
    return { name, face, pick: () => put({ digit }) };
  }));
  const renew = h(
    "button", { type: "button", class: "ddpm-button", onclick: () => put({ seed: (model.get("seed") + 1) % 2 ** 31 }) },
    "New noise",
  );
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-scrub", role: "group", "aria-label": "Scrub t and watch x t" },
    equation, panels,
    h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, plot, slider), clock),
    h("div", { class: "ddpm-controls" }, digits.node, h("div", { class: "ddpm-pair" }, schedules.node, renew)),
    live.node,
  );

  let eps = null;
  let drawnSeed = null;
  const draw = () => {
    const { seed, digit, schedule } = Object.fromEntries(["seed", "digit", "schedule"].map((k) => [k, model.get(k)]));
    const T = lastStep();
    const t = Math.min(model.get("t"), T);
    const alphaBar = tables[schedule][t];
    const [signal, noisy] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
    if (seed !== drawnSeed) eps = noise(seed, size);
    drawnSeed = seed;
    const x0 = images.slice(digit * size, (digit + 1) * size);
    paint(picture.x0, x0, channels);
    paint(picture.eps, eps, channels);
    paint(picture.xt, x0.map((x, i) => signal * x + noisy * eps[i]), channels);

    const decibels = 10 * Math.log10(alphaBar / (1 - alphaBar));
    const snr = Number.isFinite(decibels) ? `${shown(decibels, 1)} dB` : "\u221e dB";
    value.signal.textContent = signal.toFixed(3);
    value.noise.textContent = noisy.toFixed(3);
    value.snr.textContent = snr;
    fill.signal.style.width = `${100 * signal}%`;
    fill.noise.style.width = `${100 * noisy}%`;
    fill.alphaBar.style.width = `${100 * alphaBar}%`;
    fill.rest.style.width = `${100 * (1 - alphaBar)}%`;
    dot.style.left = `${(100 * t) / T}%`;
    dot.style.top = `${100 * (1 - alphaBar)}%`;
    for (const name of names) curves[name].setAttribute("class", name === schedule ? "ddpm-chosen" : "");
    curve.append(curves[schedule]); // drawn last, on top
    slider.max = T;
    slider.value = t;
    slider.setAttribute("aria-valuetext", `t = ${t} of ${T}`);
    clock.replaceChildren(it("t"), ` = ${t}`, h("span", {}, ` / ${T}`));
    digits.inputs[digit].checked = true;
    schedules.inputs[names.indexOf(schedule)].checked = true;
    seedShown.textContent = `noise, seed ${seed}`;
    Object.assign(widget.dataset, { t, schedule, digit, seed });

    live.say(`t = ${t}: signal ${signal.toFixed(2)}, noise ${noisy.toFixed(2)}, signal to noise ${snr}`);
  };

  draw();
  for (const name of ["t", "seed", "digit", "schedule"]) model.on(`change:${name}`, draw);
  el.append(widget);
}

export default { render };

// Scrub t and watch x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps. State: scrub.py.
function render({ model, el }) {
  const [, channels, height, width] = model.get("shape");
  const size = channels * height * width;
  const images = Array.from(bytes(model.get("pixels")), (level) => level / 127.5 - 1);
  const labels = model.get("labels");
  const tables = Object.fromEntries(Object.entries(model.get("alpha_bar")).map(([k, v]) => [k, floats(v)]));
  const names = Object.keys(tables);
  const put = writer(model);
  const lastStep = () => tables[model.get("schedule")].length - 1;

  const equation = h(
    "div",
    { class: "ddpm-equation", role: "math", "aria-label": "x t = square root of alpha bar t, times x 0, plus square root of 1 minus alpha bar t, times epsilon" },
    symbol("x", "t"), " = ", signalRoot(), " ", symbol("x", "0"), " + ", noiseRoot(), " ", it("\u03b5"),
  );

  // The three pictures: signal + noise = x_t.
  const canvas = () => h("canvas", { width, height, role: "img" });
  const picture = { x0: canvas(), eps: canvas(), xt: canvas() };
  const show = (kind, words, x) => {
    paint(picture[kind], x, channels);
    picture[kind].setAttribute("aria-label", words);
  };
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
    panel(symbol("x", "0"), "image", picture.x0, [signalRoot(), " = ", value.signal], fill.signal),
    operator("+"),
    panel(it("\u03b5"), seedShown, picture.eps, [noiseRoot(), " = ", value.noise], fill.noise),
    operator("="),
    panel(symbol("x", "t"), "noisy image", picture.xt, ["SNR ", value.snr], fill.alphaBar, fill.rest),
  );

  // Time: alpha_bar over t, the slider right beneath it, a button that plays it.
  const curve = h("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const curves = {};
  for (const name of names) {
    const table = tables[name];
    const points = upTo(0, 200).map((i) => `${(i / 200).toFixed(3)} ${(1 - table[Math.round((i / 200) * (table.length - 1))]).toFixed(4)}`);
    curve.append((curves[name] = h("path", { d: `M${points.join("L")}`, "vector-effect": "non-scaling-stroke" })));
  }
  const dot = h("span", { class: "ddpm-dot" });
  const plot = h("div", { class: "ddpm-plot", "aria-hidden": "true" }, curve, dot, h("span", { class: "ddpm-axis" }, alphaBarOf("t")));
  const time = timeline({ seek: (t) => { player.stop(); put({ t }); } });
  const player = playButton({
    at: () => model.get("t") / lastStep(),
    go: (share) => put({ t: Math.round(share * lastStep()) }),
    steps: lastStep,
  });

  const schedules = choice("Schedule", true, names.map((name) => ({
    name, pick: () => put({ schedule: name, t: Math.min(model.get("t"), tables[name].length - 1) }),
  })));
  const x0Of = (digit) => images.slice(digit * size, (digit + 1) * size);
  const digits = choice("Image", false, labels.map((name, digit) => {
    const face = h("canvas", { width, height, class: "ddpm-thumb", "aria-hidden": "true" });
    paint(face, x0Of(digit), channels);
    return { name, face, pick: () => put({ digit }) };
  }));
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-scrub", role: "group", "aria-label": "Scrub t and watch x t" },
    equation, panels,
    h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, plot, time.slider), time.clock),
    h("div", { class: "ddpm-controls" }, digits.node, h("div", { class: "ddpm-pair" }, schedules.node, newNoise(model, put))),
    live.node,
  );

  let eps = null;
  let drawnSeed = null;
  const draw = () => {
    const { seed, digit, schedule } = traits(model, "seed", "digit", "schedule");
    const T = lastStep();
    const t = Math.min(model.get("t"), T);
    const alphaBar = tables[schedule][t];
    const [signal, noisy] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
    if (seed !== drawnSeed) eps = noise(seed, size);
    drawnSeed = seed;
    show("x0", `the clean image x 0: ${labels[digit]}`, x0Of(digit));
    show("eps", `the noise epsilon of seed ${seed}`, eps);
    show("xt", `the noisy image x t at t = ${t}: ${labels[digit]}, seed ${seed}`, mixed(alphaBar, x0Of(digit), eps));

    value.signal.textContent = signal.toFixed(3);
    value.noise.textContent = noisy.toFixed(3);
    value.snr.textContent = shownSnr(alphaBar);
    fill.signal.style.width = `${100 * signal}%`;
    fill.noise.style.width = `${100 * noisy}%`;
    fill.alphaBar.style.width = `${100 * alphaBar}%`;
    fill.rest.style.width = `${100 * (1 - alphaBar)}%`;
    dot.style.left = `${(100 * t) / T}%`;
    dot.style.top = `${100 * (1 - alphaBar)}%`;
    for (const name of names) curves[name].setAttribute("class", name === schedule ? "ddpm-chosen" : "");
    curve.append(curves[schedule]); // drawn last, on top
    time.slider.max = T;
    time.show(t, T);
    digits.inputs[digit].checked = true;
    schedules.inputs[names.indexOf(schedule)].checked = true;
    seedShown.textContent = `noise, seed ${seed}`;
    Object.assign(widget.dataset, { t, schedule, digit, seed });
    live.say(`t = ${t}: signal ${signal.toFixed(2)}, noise ${noisy.toFixed(2)}, signal to noise ${shownSnr(alphaBar)}`);
  };

  follow(model, ["t", "seed", "digit", "schedule"], draw);
  el.append(widget);
}

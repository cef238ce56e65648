// A cloud of points flows into noise and, where a sampler was recorded, out of it. State: cloud.py.
function render({ model, el }) {
  const [LIMIT, FINE, VIEW, SIDE, TAILS, TAIL] = [4, 4096, 3.3, 560, 12, 8];
  const alphaBar = floats(model.get("alpha_bar"));
  const T = alphaBar.length - 1;
  const clouds = Object.fromEntries(Object.entries(model.get("points")).map(([name, text]) =>
    [name, Float64Array.from(new Int16Array(bytes(text).buffer), (x) => x / FINE)]));
  const runs = Object.fromEntries(Object.entries(model.get("runs")).map(([name, [ts, text]]) => {
    const all = Float64Array.from(bytes(text), (x) => (x / 255) * 2 * LIMIT - LIMIT);
    const size = all.length / ts.length;
    return [name, { ts, frames: ts.map((_, i) => all.subarray(i * size, (i + 1) * size)) }];
  }));
  const put = writer(model);
  const names = Object.keys(clouds);
  const recorded = Object.keys(runs);
  const own = recorded.some((name) => name in clouds); // then each cloud has its own recording
  const back = () => model.get("direction") === "reverse";
  const run = () => runs[own ? model.get("cloud") : model.get("run")];
  // The place in the recording whose time is nearest to t; the times fall from T to 0.
  const frame = (t = model.get("t")) => nearest(run().ts, t);
  const now = () => (back() ? run().ts[frame()] : model.get("t"));

  const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", class: "ddpm-signal" });
  const row = (face, ...cells) => h("tr", {}, h("th", { scope: "row" }, ...face), ...cells);
  const cells = Object.fromEntries(["signal", "noise", "mx", "my", "vx", "vy"].map((name) => [name, h("td")]));
  cells.signal.colSpan = cells.noise.colSpan = 2;
  const table = h(
    "table", { class: "ddpm-facts" },
    h("tbody", {},
      row([signalRoot()], cells.signal),
      row([noiseRoot()], cells.noise),
      row(["mean"], cells.mx, cells.my), row(["variance"], cells.vx, cells.vy)),
  );
  const story = h("p", { class: "ddpm-story" });

  // Backward the slider stops at recorded times alone, and a key moves it by at least one of them.
  let dragged = false;
  const stopAt = (t) => {
    const { ts } = run();
    const [from, to] = [frame(), frame(t)];
    return ts[from !== to || dragged || t === ts[from] ? to : t < ts[from] ? from + 1 : from - 1];
  };
  const time = timeline({
    max: T,
    onpointerdown: () => (dragged = true),
    onkeydown: () => (dragged = false),
    seek: (t) => {
      player.stop();
      put({ t: back() ? stopAt(t) : t });
      time.slider.value = now();
    },
  });
  const strides = () => run().ts.length - 1;
  const player = playButton({
    at: () => (back() ? frame() / strides() : model.get("t") / T),
    go: (share) => put({ t: back() ? run().ts[Math.round(share * strides())] : Math.round(share * T) }),
    steps: () => (back() ? strides() : T),
  });
  const option = (kind, label, values, more = () => ({})) =>
    choice(label, values.length > 1, values.map((name) => ({
      name, pick: () => { player.stop(); put({ [kind]: name, ...more(name) }); },
    })));
  const cloudChoice = option("cloud", "Cloud", names);
  const ways = recorded.length ? ["forward", "reverse"] : ["forward"];
  const wayChoice = option("direction", "Direction", ways, (way) => ({ t: way === "reverse" ? T : 0 }));
  const runChoice = option("run", "Run", own ? [] : recorded);
  const renew = newNoise(model, put);
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-cloud", role: "group", "aria-label": "A cloud of points, and t" },
    h("div", { class: "ddpm-stage" }, canvas, h("div", { class: "ddpm-side" }, story, table)),
    h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, time.slider), time.clock),
    h("div", { class: "ddpm-controls" }, cloudChoice.node, runChoice.node, h("div", { class: "ddpm-pair" }, wayChoice.node, renew)),
    live.node,
  );

  let eps = null;
  let drawnNoise = null;
  const points = () => {
    if (back()) return run().frames[frame()];
    const x0 = clouds[model.get("cloud")];
    const key = `${model.get("seed")} ${x0.length}`;
    if (key !== drawnNoise) eps = noise(model.get("seed"), x0.length);
    drawnNoise = key;
    return mixed(alphaBar[model.get("t")], x0, eps);
  };

  // A point beyond the frame is drawn at its edge.
  const pixel = (x) => Math.min(SIDE - 4, Math.max(4, (x / VIEW / 2 + 0.5) * SIDE));
  const place = (x, i) => [pixel(x[2 * i]), SIDE - pixel(x[2 * i + 1])];
  const context = canvas.getContext("2d");
  const path = (alpha, trace, end) => {
    context.globalAlpha = alpha;
    context.beginPath();
    trace();
    context[end]();
  };
  // Backward, a few points have tails: their last strides, fading.
  const tails = (n) => {
    const last = frame();
    const past = run().frames.slice(Math.max(0, last - TAIL), last + 1);
    for (let k = 1; k < past.length; k++) {
      path((0.8 * (k + TAIL + 1 - past.length)) / TAIL, () => {
        for (let tail = 0; tail < Math.min(TAILS, n); tail++) {
          const i = Math.floor((tail * n) / TAILS);
          context.moveTo(...place(past[k - 1], i));
          context.lineTo(...place(past[k], i));
        }
      }, "stroke");
    }
  };
  const scatter = () => {
    const x = points();
    const n = x.length / 2;
    context.clearRect(0, 0, SIDE, SIDE);
    context.strokeStyle = getComputedStyle(widget).color;
    context.fillStyle = getComputedStyle(canvas).color;
    context.lineWidth = 1.5;
    context.setLineDash([]);
    if (back()) tails(n);
    path(0.7, () => {
      for (let i = 0; i < n; i++) {
        const [across, down] = place(x, i);
        context.moveTo(across + 4, down);
        context.arc(across, down, 4, 0, 7);
      }
    }, "fill");
    context.setLineDash([3, 5]);
    for (const r of [1, 2]) path(0.5, () => context.arc(SIDE / 2, SIDE / 2, pixel(r) - SIDE / 2, 0, 7), "stroke");
    return x;
  };

  const draw = () => {
    const { cloud, direction, seed } = traits(model, "cloud", "direction", "seed");
    const t = now();
    const x = scatter();
    const n = x.length / 2;
    const mean = [0, 1].map((k) => x.reduce((sum, value, i) => (i % 2 === k ? sum + value : sum), 0) / n);
    const variance = [0, 1].map((k) => x.reduce((sum, value, i) => (i % 2 === k ? sum + (value - mean[k]) ** 2 : sum), 0) / n);
    cells.signal.textContent = shown(Math.sqrt(alphaBar[t]), 3);
    cells.noise.textContent = shown(Math.sqrt(1 - alphaBar[t]), 3);
    [cells.mx, cells.my].forEach((cell, k) => (cell.textContent = shown(mean[k], 2)));
    [cells.vx, cells.vy].forEach((cell, k) => (cell.textContent = shown(variance[k], 2)));
    story.replaceChildren(
      `${n} points, ${back() ? "as a sampler moved them" : "each with its own noise"}. The circles: one and two standard deviations of `,
      it("N"), "(0, ", it("I"), "), with mean 0 and variance 1 along each axis.",
    );
    time.show(t, T);
    const of = back() ? (own ? cloud : model.get("run")) : cloud;
    canvas.setAttribute("aria-label", `the cloud of points: ${of} at t = ${t}`);
    cloudChoice.inputs[names.indexOf(cloud)].checked = true;
    wayChoice.inputs[ways.indexOf(direction)].checked = true;
    if (runChoice.inputs.length) runChoice.inputs[recorded.indexOf(model.get("run"))].checked = true;
    cloudChoice.node.hidden = names.length < 2 || (back() && !own);
    runChoice.node.hidden = runChoice.inputs.length < 2 || !back();
    renew.style.visibility = back() ? "hidden" : "";
    Object.assign(widget.dataset, { t, cloud, direction, seed, run: model.get("run"), mean: mean.join(" "), variance: variance.join(" ") });
    live.say(`t = ${t}: mean ${mean.map((v) => shown(v, 2)).join(", ")}, variance ${variance.map((v) => shown(v, 2)).join(", ")}`);
  };

  follow(model, ["t", "seed", "cloud", "direction", "run"], draw);
  el.append(widget);
  // A canvas must be painted anew where the page's colors are first known, and where they change.
  new ResizeObserver(scatter).observe(canvas);
  const theme = new MutationObserver(() => (widget.isConnected ? scatter() : 0));
  for (const node of [document.documentElement, document.body]) theme.observe(node, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", scatter);
  return () => {
    theme.disconnect();
    dark.removeEventListener("change", scatter);
  };
}

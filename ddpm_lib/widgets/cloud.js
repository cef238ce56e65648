// A cloud of points flows into noise and, where a sampler was recorded, out of it. State: cloud.py.
function render({ model, el }) {
  const [LIMIT, FINE, VIEW, SIDE] = [4, 4096, 3.3, 560];
  const alphaBar = floats(model.get("alpha_bar"));
  const T = alphaBar.length - 1;
  const decode = (text, to) => Array.from(text, to);
  const clouds = Object.fromEntries(Object.entries(model.get("points")).map(([name, text]) =>
    [name, decode(new Int16Array(bytes(text).buffer), (x) => x / FINE)]));
  const runs = Object.fromEntries(Object.entries(model.get("runs")).map(([name, [ts, text]]) => {
    const all = decode(bytes(text), (x) => (x / 255) * 2 * LIMIT - LIMIT);
    const size = all.length / ts.length;
    return [name, { ts, frames: ts.map((_, i) => all.slice(i * size, (i + 1) * size)) }];
  }));
  const put = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const names = Object.keys(clouds);
  const recorded = Object.keys(runs);
  const own = recorded.some((name) => name in clouds); // then each cloud has its own recording
  const back = () => model.get("direction") === "reverse";
  const run = () => runs[model.get("cloud") in runs ? model.get("cloud") : model.get("run")];
  // The place in the recording whose time is nearest to t.
  const frame = () => {
    const away = run().ts.map((t) => Math.abs(t - model.get("t")));
    return away.indexOf(Math.min(...away));
  };

  const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", class: "ddpm-signal", "aria-label": "the cloud of points" });
  const row = (face, ...cells) => h("tr", {}, h("th", { scope: "row" }, ...face), ...cells);
  const cells = Object.fromEntries(["signal", "noise", "mx", "my", "vx", "vy"].map((name) => [name, h("td")]));
  cells.signal.colSpan = cells.noise.colSpan = 2;
  const table = h(
    "table", { class: "ddpm-facts" },
    h("tbody", {},
      row([h("span", { class: "ddpm-signal" }, root(alphaBarT()))], cells.signal),
      row([h("span", { class: "ddpm-noise" }, root("1 \u2212 ", alphaBarT()))], cells.noise),
      row(["mean"], cells.mx, cells.my), row(["variance"], cells.vx, cells.vy)),
  );
  const story = h("p", { class: "ddpm-story" });

  const slider = h("input", {
    type: "range", min: 0, step: 1, "aria-label": "time step t",
    oninput: () => {
      player.stop();
      const value = slider.valueAsNumber;
      put({ t: back() ? run().ts[run().ts.length - 1 - value] : value });
    },
  });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const player = playButton({
    at: () => (back() ? 1 - model.get("t") / T : model.get("t") / T),
    go: (share) => put({ t: Math.round(back() ? T * (1 - share) : T * share) }),
    steps: () => (back() ? run().ts.length : T),
  });
  const option = (kind, label, values, extra = () => ({})) =>
    choice(label, values.length > 1, values.map((name) => ({ name, face: segment(name), pick: () => { player.stop(); put({ [kind]: name, ...extra(name) }); } })));
  const cloudChoice = option("cloud", "Cloud", names);
  const ways = recorded.length ? ["forward", "reverse"] : ["forward"];
  const wayChoice = option("direction", "Direction", ways, (way) => ({ t: way === "reverse" ? T : 0 }));
  const runChoice = option("run", "Recorded", own ? [] : recorded);
  const renew = h(
    "button", { type: "button", class: "ddpm-button", onclick: () => put({ seed: (model.get("seed") + 1) % 2 ** 31 }) }, "New noise",
  );
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-cloud", role: "group", "aria-label": "A cloud of points, and t" },
    h("div", { class: "ddpm-stage" }, canvas, h("div", { class: "ddpm-side" }, story, table)),
    h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, slider), clock),
    h("div", { class: "ddpm-controls" }, cloudChoice.node, runChoice.node, h("div", { class: "ddpm-pair" }, wayChoice.node, renew)),
    live.node,
  );

  let eps = null;
  let drawnSeed = null;
  const points = () => {
    if (back()) return run().frames[frame()];
    const x0 = clouds[model.get("cloud")];
    if (drawnSeed !== `${model.get("seed")} ${x0.length}`) eps = noise(model.get("seed"), x0.length);
    drawnSeed = `${model.get("seed")} ${x0.length}`;
    const ab = alphaBar[model.get("t")];
    const [signal, noisy] = [Math.sqrt(ab), Math.sqrt(1 - ab)];
    return x0.map((x, i) => signal * x + noisy * eps[i]);
  };
  const pixel = (x) => (x / VIEW / 2 + 0.5) * SIDE;
  const scatter = (x) => {
    const context = canvas.getContext("2d");
    const ink = getComputedStyle(widget).color;
    context.clearRect(0, 0, SIDE, SIDE);
    context.strokeStyle = ink;
    context.globalAlpha = 0.35;
    context.lineWidth = 1.5;
    context.setLineDash([3, 5]);
    for (const r of [1, 2]) {
      context.beginPath();
      context.arc(SIDE / 2, SIDE / 2, pixel(r) - SIDE / 2, 0, 7);
      context.stroke();
    }
    context.fillStyle = getComputedStyle(canvas).color;
    context.globalAlpha = 0.7;
    context.beginPath();
    for (let i = 0; i < x.length; i += 2) {
      const [across, down] = [pixel(x[i]), SIDE - pixel(x[i + 1])];
      context.moveTo(across + 4, down);
      context.arc(across, down, 4, 0, 7);
    }
    context.fill();
    context.globalAlpha = 1;
  };

  const draw = () => {
    const [cloud, direction, seed] = ["cloud", "direction", "seed"].map((name) => model.get(name));
    const t = back() ? run().ts[frame()] : model.get("t");
    const x = points();
    scatter(x);
    const n = x.length / 2;
    const mean = [0, 1].map((k) => x.reduce((sum, value, i) => (i % 2 === k ? sum + value : sum), 0) / n);
    const variance = [0, 1].map((k) => x.reduce((sum, value, i) => (i % 2 === k ? sum + (value - mean[k]) ** 2 : sum), 0) / n);
    cells.signal.textContent = shown(Math.sqrt(alphaBar[t]), 3);
    cells.noise.textContent = shown(Math.sqrt(1 - alphaBar[t]), 3);
    [cells.mx, cells.my].forEach((cell, k) => (cell.textContent = shown(mean[k], 2)));
    [cells.vx, cells.vy].forEach((cell, k) => (cell.textContent = shown(variance[k], 2)));
    story.replaceChildren(...(back()
      ? [`${n} points on their way from noise, as a sampler moved them.`]
      : [`${n} points, each with its own noise. The circles mark one and two standard deviations of `, it("N"), "(0, ", it("I"), ")."]));
    slider.max = back() ? run().ts.length - 1 : T;
    slider.value = back() ? run().ts.length - 1 - frame() : t;
    slider.setAttribute("aria-valuetext", `t = ${t} of ${T}`);
    clock.replaceChildren(it("t"), ` = ${t}`, h("span", {}, ` / ${T}`));
    cloudChoice.inputs[names.indexOf(cloud)].checked = true;
    wayChoice.inputs[ways.indexOf(direction)].checked = true;
    if (runChoice.inputs.length) runChoice.inputs[recorded.indexOf(model.get("run"))].checked = true;
    cloudChoice.node.hidden = names.length < 2 || (back() && !own);
    runChoice.node.hidden = runChoice.inputs.length < 2 || !back();
    renew.style.visibility = back() ? "hidden" : "";
    Object.assign(widget.dataset, { t, cloud, direction, seed, mean: mean.join(" "), variance: variance.join(" ") });
    live.say(`t = ${t}: mean ${mean.map((v) => shown(v, 2)).join(", ")}, variance ${variance.map((v) => shown(v, 2)).join(", ")}`);
  };

  el.append(widget);
  draw();
  requestAnimationFrame(draw); // colours are known once the widget is in the page
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme", "data-jp-theme-light"] });
  for (const name of ["t", "seed", "cloud", "direction", "run"]) model.on(`change:${name}`, draw);
}

export default { render };

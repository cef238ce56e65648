// A sampler's way back: x_t and what the network takes it for, a row for each network. State: trajectory.py.
function render({ model, el }) {
  const [n, height, width] = model.get("shape");
  const size = height * width;
  const runs = Object.entries(model.get("runs")).map(([name, [ts, text]]) => {
    const packed = bytes(text);
    const level = (i) => (i % 2 ? packed[i >> 1] & 15 : packed[i >> 1] >> 4) / 7.5 - 1;
    // Picture k (0: x_t, 1: x0_hat) of one image in one frame.
    const picture = (frame, image, k) => Float64Array.from({ length: size }, (_, i) => level(((frame * n + image) * 2 + k) * size + i));
    const canvas = (label) => h("canvas", { width, height, role: "img", "aria-label": `${name}: ${label}` });
    return { name, ts, picture, xt: canvas("the noisy image x t"), x0: canvas("the guess x 0 hat") };
  });
  const T = runs[0].ts[0];
  const put = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const frame = (run) => {
    const away = run.ts.map((t) => Math.abs(t - model.get("t")));
    return away.indexOf(Math.min(...away));
  };

  const hat = h("span", { class: "ddpm-symbol" }, h("i", { class: "ddpm-hat" }, "x"), h("sub", {}, it("0")));
  const head = h("div", { class: "ddpm-row ddpm-head", "aria-hidden": "true" }, h("span"), h("span", {}, symbol("x", "t")), h("span", {}, hat, " the guess"));
  const rows = runs.map((run) => h("div", { class: "ddpm-row" }, h("span", { class: "ddpm-run" }, run.name), run.xt, run.x0));

  // The slider counts steps back from T, so that the picture comes out to the right; it stops at the longest run's times.
  const stops = runs.reduce((best, run) => (run.ts.length > best.length ? run.ts : best), []);
  const stop = () => {
    const away = stops.map((t) => Math.abs(t - model.get("t")));
    return away.indexOf(Math.min(...away));
  };
  const slider = h("input", {
    type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": "time step t, backwards",
    oninput: () => { player.stop(); put({ t: stops[slider.valueAsNumber] }); },
  });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const player = playButton({
    at: () => stop() / (stops.length - 1),
    go: (share) => put({ t: stops[Math.round(share * (stops.length - 1))] }),
    steps: () => stops.length - 1,
    seconds: 4,
  });
  const images = choice("Image", true, Array.from({ length: n }, (_, image) => {
    const face = h("canvas", { width, height, class: "ddpm-thumb", "aria-hidden": "true" });
    const last = runs[runs.length - 1];
    paint(face, last.picture(last.ts.length - 1, image, 0), 1);
    return { name: `image ${image + 1}`, face, pick: () => put({ image }) };
  }));
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-trajectory", role: "group", "aria-label": "Pictures coming out of noise" },
    head, ...rows, h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, slider), clock),
    h("div", { class: "ddpm-controls" }, images.node), live.node,
  );

  const draw = () => {
    const image = model.get("image");
    for (const run of runs) {
      const k = frame(run);
      paint(run.xt, run.picture(k, image, 0), 1);
      paint(run.x0, run.picture(k, image, 1), 1);
      run.x0.style.visibility = k ? "" : "hidden"; // at T nothing has been guessed yet
    }
    const t = stops[stop()];
    slider.value = stop();
    slider.setAttribute("aria-valuetext", `t = ${t} of ${T}`);
    clock.replaceChildren(it("t"), ` = ${t}`, h("span", {}, ` / ${T}`));
    images.inputs[image].checked = true;
    Object.assign(widget.dataset, { t, image });
    live.say(`t = ${t}`);
  };

  draw();
  for (const name of ["t", "image"]) model.on(`change:${name}`, draw);
  el.append(widget);
}

export default { render };

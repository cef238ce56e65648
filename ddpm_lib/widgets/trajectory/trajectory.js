// The reverse process: x_t and what the network takes it for, a row for each network. State: trajectory.py.
function render({ model, el }) {
  const [n, height, width] = model.get("shape");
  const size = height * width;
  const runs = Object.entries(model.get("runs")).map(([name, [ts, text]]) => {
    const packed = bytes(text);
    const level = (i) => (i % 2 ? packed[i >> 1] & 15 : packed[i >> 1] >> 4) / 7.5 - 1;
    // Picture k (0: x_t, 1: x0_hat) of one image in one frame.
    const picture = (frame, image, k) => Float64Array.from({ length: size }, (_, i) => level(((frame * n + image) * 2 + k) * size + i));
    const canvas = () => h("canvas", { width, height, role: "img" });
    return { name, ts, picture, xt: canvas(), x0: canvas(), none: h("span", {}, "no guess yet") };
  });
  const T = runs[0].ts[0];
  const put = writer(model);

  const head = h("div", { class: "ddpm-row ddpm-head", "aria-hidden": "true" }, h("span"), h("span", {}, symbol("x", "t")), h("span", {}, symbol("x", "0", "hat"), " the guess"));
  const rows = runs.map((run) => h("div", { class: "ddpm-row" }, h("span", { class: "ddpm-run" }, run.name), run.xt, h("div", { class: "ddpm-blank" }, run.x0, run.none)));

  // The slider counts steps back from T, so that the picture comes out to the right; it stops at the longest run's times.
  const stops = runs.reduce((best, run) => (run.ts.length > best.length ? run.ts : best), []);
  const stop = () => nearest(stops, model.get("t"));
  const last = stops.length - 1;
  const time = timeline({ label: "time step t, backwards", max: last, seek: (place) => { player.stop(); put({ t: stops[place] }); } });
  const player = playButton({
    at: () => stop() / last, go: (share) => put({ t: stops[Math.round(share * last)] }), steps: () => last, seconds: 4,
  });
  const images = choice("Image", true, upTo(0, n - 1).map((image) => {
    const face = h("canvas", { width, height, class: "ddpm-thumb", "aria-hidden": "true" });
    const run = runs[runs.length - 1];
    paint(face, run.picture(run.ts.length - 1, image, 0), 1);
    return { name: `image ${image + 1}`, face, pick: () => put({ image }) };
  }));
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-trajectory", role: "group", "aria-label": "Pictures coming out of noise" },
    head, ...rows, h("div", { class: "ddpm-time" }, player.node, h("div", { class: "ddpm-track" }, time.slider), time.clock),
    h("div", { class: "ddpm-controls" }, images.node), live.node,
  );

  const draw = () => {
    const image = model.get("image");
    for (const { name, ts, picture, xt, x0, none } of runs) {
      const k = nearest(ts, model.get("t"));
      const guess = picture(k, image, 1);
      const unguessed = k === 0 && guess.every((p) => p === guess[0]); // flat: recorded without a guess
      for (const [canvas, which, words] of [[xt, 0, "the noisy image x t"], [x0, 1, "the guess x 0 hat"]]) {
        paint(canvas, picture(k, image, which), 1);
        canvas.setAttribute("aria-label", `${name}: ${words} at t = ${ts[k]}, image ${image + 1}`);
      }
      x0.style.visibility = unguessed ? "hidden" : "";
      none.hidden = !unguessed;
    }
    const t = stops[stop()];
    time.show(t, T, stop());
    images.inputs[image].checked = true;
    Object.assign(widget.dataset, { t, image });
    live.say(`t = ${t}`);
  };

  follow(model, ["t", "image"], draw);
  el.append(widget);
}

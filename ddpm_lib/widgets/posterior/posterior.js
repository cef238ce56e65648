// Prior times likelihood is the posterior, for one pixel and any s < t. State: posterior.py.
function render({ model, el }) {
  const alphaBar = doubles(model.get("alpha_bar"));
  const T = alphaBar.length - 1;
  const put = writer(model);
  let stride = model.get("t") - model.get("s"); // what was asked for: s stops at 0 and comes back

  // The curves over x_s from -VIEW to VIEW, each of height 1: at TOP of the frame.
  const [VIEW, TOP] = [3.2, 0.94];
  const place = (x) => (x + VIEW) / (2 * VIEW);
  const plot = chart("prior, likelihood and posterior over x s", "over ", symbol("x", "s"), ", each scaled to height 1; ", swatch("ddpm-the-product", "M0 0H28V8H0Z"), " prior \u00d7 likelihood");
  const whole = [-3, -2, -1, 0, 1, 2, 3];
  plot.ticks(whole.map((x) => [place(x), shown(x, 0)]), []);
  plot.line("ddpm-grid").setAttribute("d", whole.map((x) => `M${place(x)} 1V0`).join(""));
  const lines = Object.fromEntries(
    ["product", "likelihood", "posterior", "prior", "center"].map((name) => [name, plot.line(`ddpm-the-${name}`)]));
  const pin = (name, letter, index) => {
    const face = h("span", {}, symbol(letter, index));
    const node = h("div", { class: `ddpm-pin ddpm-${name}`, "aria-hidden": "true" }, face);
    plot.frame.append(node);
    return { node, face };
  };
  const pins = { x0: pin("signal", "x", "0"), xt: pin("noise", "x", "t") };
  const bell = ({ mean, variance }, height = 1) => {
    const points = Array.from({ length: 121 }, (_, i) => (i - 60) / 12)
      .map((z) => [place(mean + Math.sqrt(variance) * z), 1 - TOP * height * Math.exp((-z * z) / 2)]);
    // What lies outside the frame is clipped; inside, the line runs on along the axis.
    return through([...(points[0][0] > 0 ? [[0, 1]] : []), ...points, ...(points[120][0] < 1 ? [[1, 1]] : [])]);
  };
  const upright = (x) => through([[place(x), 1], [place(x), 1 - TOP]]);
  const curve = (gaussian) => (gaussian.variance ? bell(gaussian) : upright(gaussian.mean));

  const entry = (name, ...face) => h("span", {}, swatch(`ddpm-the-${name}`), ` ${name} `, ...face);
  const q = (...inside) => h("span", { class: "ddpm-symbol" }, it("q"), "(", ...inside, ")");
  const legend = h(
    "div", { class: "ddpm-legend" },
    entry("prior", q(symbol("x", "s"), " | ", symbol("x", "0"))),
    entry("likelihood", q(symbol("x", "t"), " | ", symbol("x", "s"))),
    entry("posterior", q(symbol("x", "s"), " | ", symbol("x", "t"), ", ", symbol("x", "0"))),
  );

  // What the mean is made of, and who pulls how hard.
  const equation = h("p", { class: "ddpm-mean" });
  const sure = h("span", { class: "ddpm-sd" });
  const prior = h("span", { class: "ddpm-fill ddpm-signal" });
  const bar = h("div", { class: "ddpm-bar", role: "img" }, prior, h("span", { class: "ddpm-rest ddpm-noise" }));
  const shares = { prior: h("span", { class: "ddpm-signal" }), likelihood: h("span", { class: "ddpm-noise" }) };
  const pulls = h("div", { class: "ddpm-pulls", "aria-hidden": "true" }, shares.prior, shares.likelihood);

  const dials = {
    t: dial({ label: "time t of the noisy pixel", face: [it("t")], range: [1, T, 1], pick: (t) => put({ t, s: Math.max(0, t - stride) }) }),
    stride: dial({ label: "stride from t back to s", face: [it("t"), " \u2212 ", it("s")], range: [1, T, 1], pick: (steps) => put({ s: model.get("t") - steps }) }),
    x0: dial({ label: "clean pixel x 0", face: [symbol("x", "0")], range: [-1, 1, 0.05], pick: (x0) => put({ x0 }) }),
    xt: dial({ label: "noisy pixel x t", face: [symbol("x", "t")], range: [-3, 3, 0.05], pick: (xt) => put({ xt }) }),
  };
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-posterior", role: "group", "aria-label": "Prior, likelihood and posterior of a pixel" },
    legend, plot.node, h("div", { class: "ddpm-read" }, equation, sure), bar, pulls,
    h("div", { class: "ddpm-dials" }, ...Object.values(dials).map((each) => each.node)), live.node,
  );

  // Three digits after the point, but nothing that is there becomes 0.000.
  const number = (x) => (Math.abs(x) < 0.0005 ? brief(x, 2) : shown(x, 3));

  const draw = () => {
    const { t, x0, xt } = traits(model, "t", "x0", "xt");
    const s = Math.min(model.get("s"), t - 1); // Python's t may arrive before its s
    const [abT, abS] = [alphaBar[t], alphaBar[s]];
    const a = abT / abS; // the signal kept from s to t
    const weight = { x0: (Math.sqrt(abS) * (1 - a)) / (1 - abT), xt: (Math.sqrt(a) * (1 - abS)) / (1 - abT) };
    const mean = weight.x0 * x0 + weight.xt * xt;
    const variance = ((1 - abS) * (1 - a)) / (1 - abT);
    const sd = Math.sqrt(variance);
    const of = {
      prior: { mean: Math.sqrt(abS) * x0, variance: 1 - abS },
      likelihood: { mean: xt / Math.sqrt(a), variance: (1 - a) / a },
      posterior: { mean, variance },
    };

    // The product has the posterior's shape; the further apart the two tops, the lower it is.
    const apart = (of.prior.mean - of.likelihood.mean) ** 2 / (of.prior.variance + of.likelihood.variance);
    for (const [name, gaussian] of Object.entries(of)) lines[name].setAttribute("d", curve(gaussian));
    lines.product.setAttribute("d", s ? bell(of.posterior, Math.exp(-apart / 2)) : "");
    lines.center.setAttribute("d", dots([[place(mean), 1 - TOP]]));
    for (const [name, value] of Object.entries({ x0, xt })) {
      pins[name].node.style.left = `${100 * place(value)}%`;
      pins[name].face.classList.toggle("ddpm-leftward", name === "x0" ? x0 < xt : xt <= x0); // the two names never meet
    }

    const share = (1 - a) / (1 - abT); // of the prior, in the mean
    const rest = (a * (1 - abS)) / (1 - abT);
    equation.replaceChildren(
      `mean = ${number(weight.x0)} `, symbol("x", "0"), ` + ${number(weight.xt)} `, symbol("x", "t"), " = ", h("b", {}, shown(mean, 3)),
    );
    sure.replaceChildren("standard deviation ", h("b", {}, number(sd)));
    prior.style.width = `${100 * share}%`;
    shares.prior.textContent = `the prior pulls with ${shown(share, 2)}`;
    shares.likelihood.textContent = `the likelihood with ${shown(rest, 2)}`;
    bar.setAttribute("aria-label", `${shares.prior.textContent}, ${shares.likelihood.textContent}`);

    dials.t.show(t, `t = ${t} of ${T}`, `${t}`);
    dials.stride.input.max = t;
    dials.stride.show(t - s, `${t - s === 1 ? "1 step" : `${t - s} steps`}, to s = ${s}`, `${t - s}, `, it("s"), ` = ${s}`);
    dials.x0.show(x0, `x 0 = ${shown(x0, 2)}`, shown(x0, 2));
    dials.xt.show(xt, `x t = ${shown(xt, 2)}`, shown(xt, 2));
    Object.assign(widget.dataset, { t, s, x0, xt, mean, sd, pull: share });
    const words = `x ${s} given x 0 = ${shown(x0, 2)} and x ${t} = ${shown(xt, 2)}: mean ${shown(mean, 3)}, standard deviation ${number(sd)}`;
    plot.say(words);
    live.say(`${words}; ${bar.getAttribute("aria-label")}`);
  };

  model.on("change:s", () => {
    const [t, s] = [model.get("t"), model.get("s")];
    if (s !== Math.max(0, t - stride)) stride = t - s;
  });
  follow(model, ["t", "s", "x0", "xt"], draw);
  el.append(widget);
}

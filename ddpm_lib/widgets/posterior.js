// Prior times likelihood is the posterior, for one pixel and any s < t. State: posterior.py.
function render({ model, el }) {
  const alphaBar = new Float64Array(bytes(model.get("alpha_bar")).buffer);
  const T = alphaBar.length - 1;
  const put = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  // The curves over x_s, each of area 1; FAR is half the width of the frame.
  const FAR = 3.2;
  const place = (x) => (x + FAR) / (2 * FAR);
  const names = ["prior", "likelihood", "posterior"];
  const plot = chart("prior, likelihood and posterior over x s", "");
  const lines = Object.fromEntries(names.map((name) => [name, plot.line(`ddpm-${name}`)]));
  const centre = plot.line("ddpm-centre");
  const pin = (name, letter, index) => {
    const node = h("span", { class: `ddpm-pin ddpm-${name}`, "aria-hidden": "true" }, symbol(letter, index));
    plot.frame.append(node);
    return node;
  };
  const pins = { x0: pin("signal", "x", "0"), xt: pin("noise", "x", "t") };
  const bell = ({ mean, variance }, top) => {
    const sd = Math.sqrt(variance);
    const points = [];
    for (let k = -60; k <= 60; k++) {
      const z = k / 12;
      points.push([place(mean + sd * z), 1 - top * Math.exp((-z * z) / 2)]);
    }
    // What lies outside the frame is clipped; inside, the line runs on along the axis.
    return through([...(points[0][0] > 0 ? [[0, 1]] : []), ...points, ...(points[120][0] < 1 ? [[1, 1]] : [])]);
  };
  const spike = (x, top) => `M${place(x).toFixed(4)} 1V${(1 - top).toFixed(4)}`;

  const key = (name) => h("svg", { class: "ddpm-key", viewBox: "0 0 28 8", "aria-hidden": "true" }, h("path", { class: `ddpm-${name}`, d: "M0 4H28" }));
  const given = (letter, index, over, below) =>
    h("span", { class: "ddpm-symbol" }, it("q"), "(", symbol(letter, index), " | ", ...over, below, ")");
  const legend = h(
    "div", { class: "ddpm-legend" },
    h("span", {}, key("prior"), " prior ", given("x", "s", [], symbol("x", "0"))),
    h("span", {}, key("likelihood"), " likelihood ", given("x", "t", [], symbol("x", "s"))),
    h("span", {}, key("posterior"), " posterior ", given("x", "s", [symbol("x", "t"), ", "], symbol("x", "0"))),
  );

  // What the mean is made of.
  const tilde = h("span", { class: "ddpm-symbol" }, h("i", { class: "ddpm-tilde" }, "\u03bc"));
  const equation = h("p", { class: "ddpm-mean" });
  const prior = h("span", { class: "ddpm-fill ddpm-signal" });
  const bar = h("div", { class: "ddpm-bar ddpm-noise", role: "img", "aria-label": "" }, prior, h("span", { class: "ddpm-rest" }));
  const shares = { prior: h("span", { class: "ddpm-signal" }), likelihood: h("span", { class: "ddpm-noise" }) };
  const pulls = h("div", { class: "ddpm-pulls", "aria-hidden": "true" }, shares.prior, shares.likelihood);

  const dial = (name, label, face, low, high, step) => {
    const output = h("output", { "aria-hidden": "true" });
    const input = h("input", {
      type: "range", min: low, max: high, step, "aria-label": label,
      oninput: () => put(name, step < 1 ? Number(input.valueAsNumber.toFixed(2)) : input.valueAsNumber),
    });
    const show = (value, words, ...text) => {
      input.value = value;
      input.setAttribute("aria-valuetext", words);
      output.replaceChildren(...text);
    };
    return { node: h("label", { class: "ddpm-dial" }, face, h("span", {}, input), output), input, show };
  };
  const dials = {
    t: dial("t", "time t of the noisy pixel", it("t"), 1, T, 1),
    stride: dial("stride", "stride from t back to s", h("span", {}, it("t"), " \u2212 ", it("s")), 1, T, 1),
    x0: dial("x0", "clean pixel x 0", symbol("x", "0"), -1, 1, 0.05),
    xt: dial("xt", "noisy pixel x t", symbol("x", "t"), -3, 3, 0.05),
  };
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-posterior", role: "group", "aria-label": "Prior, likelihood and posterior of a pixel" },
    legend, plot.node, equation, bar, pulls,
    h("div", { class: "ddpm-dials" }, ...Object.values(dials).map((each) => each.node)), live.node,
  );

  const draw = () => {
    const [t, stride, x0, xt] = ["t", "stride", "x0", "xt"].map((name) => model.get(name));
    const s = Math.max(0, t - stride);
    const [abT, abS] = [alphaBar[t], alphaBar[s]];
    const a = abT / abS; // the signal kept from s to t
    const weight = { x0: (Math.sqrt(abS) * (1 - a)) / (1 - abT), xt: (Math.sqrt(a) * (1 - abS)) / (1 - abT) };
    const mean = weight.x0 * x0 + weight.xt * xt;
    const variance = ((1 - abS) * (1 - a)) / (1 - abT);
    const sd = Math.sqrt(variance);
    const likelihood = { mean: xt / Math.sqrt(a), variance: (1 - a) / a };

    // All have area 1, and the posterior, the narrowest, touches the top. At s = 0 it is a point, and so is the prior.
    const top = (other) => 0.94 * (s ? Math.sqrt(variance / other) : 0.6);
    lines.likelihood.setAttribute("d", bell(likelihood, top(likelihood.variance)));
    lines.prior.setAttribute("d", s ? bell({ mean: Math.sqrt(abS) * x0, variance: 1 - abS }, top(1 - abS)) : spike(x0, 0.94));
    lines.posterior.setAttribute("d", s ? bell({ mean, variance }, 0.94) : spike(mean, 0.94));
    centre.setAttribute("d", dots([[place(mean), 0.06]]));
    for (const [name, value] of Object.entries({ x0, xt })) pins[name].style.left = `${100 * place(value)}%`;
    plot.ticks([-3, -2, -1, 0, 1, 2, 3].map((x) => [place(x), shown(x, 0)]), []);

    const share = (1 - a) / (1 - abT); // of the prior, in the mean
    const rest = 1 - share;
    equation.replaceChildren(
      "mean ", tilde, ` = ${shown(weight.x0, 3)} `, symbol("x", "0"), ` + ${shown(weight.xt, 3)} `, symbol("x", "t"), " = ",
      h("b", {}, shown(mean, 3)), h("span", { class: "ddpm-sd" }, "standard deviation ", h("b", {}, shown(sd, 3))),
    );
    prior.style.width = `${100 * share}%`;
    shares.prior.textContent = `the prior pulls with ${shown(100 * share, 0)} %`;
    shares.likelihood.textContent = `the likelihood with ${shown(100 * rest, 0)} %`;
    bar.setAttribute("aria-label", `${shares.prior.textContent}, ${shares.likelihood.textContent}`);

    dials.t.show(t, `t = ${t} of ${T}`, `${t}`);
    dials.stride.input.max = t;
    dials.stride.show(t - s, `${t - s} steps, to s = ${s}`, `${t - s}, `, it("s"), ` = ${s}`);
    dials.x0.show(x0, shown(x0, 2), shown(x0, 2));
    dials.xt.show(xt, shown(xt, 2), shown(xt, 2));
    Object.assign(widget.dataset, { t, s, x0, xt, mean, sd, pull: share });
    live.say(`x ${s} given x 0 = ${shown(x0, 2)} and x ${t} = ${shown(xt, 2)}: mean ${shown(mean, 3)}, standard deviation ${shown(sd, 3)}; ${bar.getAttribute("aria-label")}`);
  };

  draw();
  for (const name of ["t", "stride", "x0", "xt"]) model.on(`change:${name}`, draw);
  el.append(widget);
}

export default { render };

// Choose T and the betas, see alpha_bar, the SNR and what is left of the image at t = T. State: schedule.py.
const KINDS = ["linear", "scaled linear", "cosine"];
const PAPER = { T: 1000, kind: "linear", beta_min: 1e-4, beta_max: 0.02, rescale: false };
// The stops of the sliders: of T, and of the betas within a decade.
const LENGTHS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000];
const STOPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8.5];

// beta_0 = 0, beta_1 ... beta_T, as in ddpm_lib/schedule.py.
function betas({ T, kind, beta_min, beta_max, rescale }) {
  const scale = rescale ? 1000 / T : 1;
  const f = (t) => Math.cos((((t / T + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  const between = (a, b, t) => a + ((b - a) * (t - 1)) / (T - 1);
  const laws = {
    linear: (t) => between(beta_min * scale, beta_max * scale, t),
    "scaled linear": (t) => between(Math.sqrt(beta_min * scale), Math.sqrt(beta_max * scale), t) ** 2,
    cosine: (t) => Math.min(0.999, 1 - f(t) / f(t - 1)),
  };
  return Float64Array.from({ length: T + 1 }, (_, t) => (t ? laws[kind](t) : 0));
}

function products(beta) {
  let alphaBar = 1;
  return beta.map((b) => (alphaBar *= 1 - b));
}

function render({ model, el }) {
  const put = writer(model);

  // Where there is an image: x_t at five times, with one noise.
  const [channels, height, width] = model.get("shape");
  const x0 = Array.from(bytes(model.get("pixels")), (level) => level / 127.5 - 1);
  const eps = noise(0, x0.length);
  const pictures = (x0.length ? [0, 1, 2, 3, 4] : []).map((quarter) => {
    const canvas = h("canvas", { width, height, role: "img" });
    const time = h("figcaption", { "aria-hidden": "true" });
    return { quarter, canvas, time, node: h("figure", {}, canvas, time) };
  });

  // The two curves, each beside the paper's, against t / T.
  const [TOP, BOTTOM] = [10, -20]; // of log SNR
  const plots = [
    { ...chart("alpha bar t against t", alphaBarOf("t")), level: (ab) => 1 - ab, ys: [1, 0.5, 0] },
    { ...chart("log SNR against t", "log SNR"), level: (ab) => (TOP - Math.log(ab / (1 - ab))) / (TOP - BOTTOM), ys: [10, 0, -10, -20] },
  ];
  const curve = (alphaBar, level, n = 200) => {
    const T = alphaBar.length - 1; // points lie denser at both ends, where log SNR is steep
    const ts = T <= n ? [...alphaBar.keys()] : Array.from({ length: n + 1 }, (_, i) => Math.round((T * (1 - Math.cos((Math.PI * i) / n))) / 2));
    return ts.map((t) => [t / T, Math.min(3, level(alphaBar[t]))]);
  };
  const paper = products(betas(PAPER));
  for (const plot of plots) {
    plot.line("ddpm-reference").setAttribute("d", through(curve(paper, plot.level)));
    plot.own = plot.line("ddpm-own");
    plot.dots = plot.line("ddpm-own ddpm-dots");
  }
  const legend = h(
    "div", { class: "ddpm-legend" }, h("span", {}, swatch("ddpm-own"), " this schedule"),
    h("span", {}, swatch("ddpm-reference"), " the paper\u2019s, stretched to the same ", it("T")),
  );
  const strip = h("div", { class: "ddpm-strip" }, ...pictures.map((picture) => picture.node));
  // What is wrong stands where the pictures would, which keep their place so that nothing jumps; else where the legend does.
  const wrong = h("p", { class: "ddpm-wrong" });
  const charts = h("div", { class: "ddpm-charts" }, ...plots.map((plot) => plot.node));
  const instead = (node) => h("div", { class: "ddpm-instead" }, node, wrong);
  const seen = pictures.length ? [instead(strip), charts, legend] : [charts, instead(legend)];
  const hides = pictures.length ? strip : legend;

  // What is left of the image at t = T, on a logarithmic scale from 0.001 to 1.
  const value = { left: h("b", { class: "ddpm-signal" }), snr: h("b") };
  const verdict = h("b", { class: "ddpm-verdict" });
  const fill = h("span", { class: "ddpm-fill ddpm-signal" });
  const dot = h("span", { class: "ddpm-dot" });
  const zones = ["noise", "a trace", "image"].map((name) => h("span", { class: "ddpm-zone" }, name));
  const mark = (text) => h("span", { class: "ddpm-mark" }, text);
  const meter = h(
    "div", { class: "ddpm-meter", role: "meter", "aria-label": "weight of the image left at T", "aria-valuemin": 0, "aria-valuemax": 1 },
    h("div", { class: "ddpm-bar" }, fill), dot,
    h("div", { class: "ddpm-zones" }, mark("0.001"), zones[0], mark("0.01"), zones[1], mark("0.1"), zones[2], mark("1")),
  );

  // The controls: a slider goes through its stops; a value that Python sets may lie between two.
  const decades = (low, high) =>
    Array.from({ length: high - low }, (_, n) => STOPS.map((stop) => Number(`${stop}e${low + n}`))).flat();
  const beta = (name, index, low, high) => dial({
    label: `beta ${index}`, face: [symbol("\u03b2", index)], stops: decades(low, high), scale: Math.log, pick: (x) => put({ [name]: x }),
  });
  const dials = {
    T: dial({ label: "number of steps T", face: [it("T")], stops: LENGTHS, scale: Math.log, pick: (T) => put({ T }) }),
    beta_min: beta("beta_min", "min", -5, -1),
    beta_max: beta("beta_max", "max", -4, 0),
  };
  const law = h("p", { class: "ddpm-law" });
  const kinds = choice("Schedule", false, KINDS.map((name) => ({ name, pick: () => put({ kind: name }) })));
  const scaling = h("input", { type: "checkbox", onchange: () => put({ rescale: scaling.checked }) });
  const scale = h("label", { class: "ddpm-check" }, h("span", {}, scaling), h("span", {}, "scale by 1000 / ", it("T")));
  const back = button("The paper\u2019s values", () => put(PAPER));
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-schedule", role: "group", "aria-label": "Choose a noise schedule" },
    ...seen,
    h("div", { class: "ddpm-left" }, h("span", {}, root(alphaBarOf("T")), " = ", value.left), h("span", {}, "SNR ", value.snr), verdict),
    meter, h("div", { class: "ddpm-dials" }, ...Object.values(dials).map((each) => each.node)), law,
    h("div", { class: "ddpm-controls" }, kinds.node, h("div", { class: "ddpm-pair" }, scale, back)), live.node,
  );

  const draw = () => {
    const state = traits(model, ...Object.keys(PAPER));
    const { T, kind, rescale } = state;
    const beta = betas(state);
    const first = beta.findIndex((b, t) => t && !(b > 0 && b < 1));
    const valid = first < 0;
    const alphaBar = products(beta);
    const left = valid ? Math.sqrt(alphaBar[T]) : 0;
    const zone = left < 0.01 ? 0 : left < 0.1 ? 1 : 2;
    const words = [[symbol("x", "T"), " is noise"], ["a trace of the image is left"], [symbol("x", "T"), " still shows the image"]][zone];

    hides.style.visibility = valid ? "" : "hidden";
    wrong.hidden = valid;
    wrong.replaceChildren(
      "Not a schedule: ", symbol("\u03b2", `${first}`), ` = ${brief(beta[first])}, but the variance of a step must be below 1. Lower `,
      symbol("\u03b2", "max"), rescale ? ", raise " : "", rescale ? it("T") : "", rescale ? " or switch the scaling off." : ".",
    );
    for (const plot of plots) {
      // As far as it is a schedule.
      const points = curve(alphaBar, plot.level).filter(([share]) => valid || share * T < first);
      plot.own.setAttribute("d", through(points));
      plot.dots.setAttribute("d", T <= 20 ? dots(points) : "");
      plot.ticks(
        [[0, it("t"), " = 0"], [Math.round(T / 2) / T, `${Math.round(T / 2)}`], [1, `${T}`]],
        plot.ys.map((y) => [plot.ys[0] === 1 ? 1 - y : (TOP - y) / (TOP - BOTTOM), shown(y, y % 1 ? 1 : 0)]),
      );
      plot.say(`${kind}, T = ${T}, beta from ${brief(beta[1])} to ${brief(beta[T])}${valid ? "" : `, up to t = ${first - 1}`}`);
    }
    if (valid) {
      for (const { quarter, canvas, time } of pictures) {
        const t = Math.ceil((T * quarter) / 4);
        paint(canvas, mixed(alphaBar[t], x0, eps), channels);
        canvas.setAttribute("aria-label", `x t at t = ${t}`);
        time.replaceChildren(it("t"), ` = ${t}`);
      }
    }
    value.left.textContent = valid ? brief(left) : "\u2013";
    value.snr.textContent = valid ? shownSnr(alphaBar[T]) : "\u2013";
    verdict.replaceChildren(...(valid ? words : []));
    const share = `${100 * Math.max(0, 1 + Math.log10(left) / 3)}%`;
    fill.style.width = share;
    dot.style.left = share;
    dot.hidden = !valid;
    zones.forEach((node, i) => node.classList.toggle("ddpm-here", valid && i === zone));
    meter.setAttribute("aria-valuenow", valid ? left.toFixed(12) : 0);
    meter.setAttribute("aria-valuetext", valid ? `${value.left.textContent}, ${verdict.textContent.replace("xT", "x T")}` : "not a schedule");

    for (const [name, { show }] of Object.entries(dials)) show(state[name], `${name.replace("_", " ")} = ${state[name]}`, brief(state[name]));
    for (const input of [dials.beta_min.input, dials.beta_max.input, scaling]) input.disabled = kind === "cosine";
    kinds.inputs[KINDS.indexOf(kind)].checked = true;
    scaling.checked = rescale;
    const line = ` ${beta[1] < beta[T] ? "rises" : "falls"} in a straight line`;
    const range = ` from ${brief(beta[1])} to ${brief(beta[T])}.`;
    law.replaceChildren(...{
      linear: [symbol("\u03b2", "t"), line, range],
      "scaled linear": [root(symbol("\u03b2", "t")), line, ", ", symbol("\u03b2", "t"), range],
      cosine: [alphaBarOf("t"), " is a squared cosine: ", symbol("\u03b2", "min"), ", ", symbol("\u03b2", "max"), " and the scaling have no effect."],
    }[kind]);
    Object.assign(widget.dataset, { tMax: T, kind, valid, left: valid ? left : "", snr: valid ? decibels(alphaBar[T]) : "" });
    live.say(valid ? `T = ${T}, ${kind}: weight of the image left ${meter.getAttribute("aria-valuetext")}` : wrong.textContent);
  };

  follow(model, Object.keys(PAPER), draw);
  el.append(widget);
}

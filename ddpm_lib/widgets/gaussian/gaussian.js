// One set of noise under every mean and standard deviation: x = mu + sigma eps. State: gaussian.py.
function render({ model, el }) {
  const [DRAWS, VIEW, LEAST, MOST] = [48, 5, 0.25, 2];
  const put = writer(model);
  let eps = null;
  let drawnSeed = null;

  // The noise stands at UP, the draws at the bottom of the frame; the highest density there is ends at TOP.
  const [UP, TOP] = [0.05, 0.86];
  const place = (x) => (x + VIEW) / (2 * VIEW);
  const height = (density) => 1 - TOP * density * LEAST * Math.sqrt(2 * Math.PI);
  const plot = chart("noise above, draws below, and their density", swatch("ddpm-the-noise", "M14 4h0"), " noise ", it("\u03b5"),
    ", each joined with its draw ", swatch("ddpm-the-draws", "M14 4h0"), " ", it("x"));
  const whole = upTo(-VIEW, VIEW);
  plot.ticks(whole.map((x) => [place(x), shown(x, 0)]), []);
  plot.line("ddpm-grid").setAttribute("d", whole.map((x) => `M${place(x)} 1V0`).join(""));
  const lines = Object.fromEntries(
    ["joins", "density", "noise", "draws"].map((name) => [name, plot.line(`ddpm-the-${name}`)]));

  const equation = h("p", { class: "ddpm-mean" });
  const found = h("span", {});
  const dials = {
    mu: dial({ label: "mean mu", face: [it("\u03bc")], range: [-2, 2, 0.05], pick: (mu) => put({ mu }) }),
    sigma: dial({ label: "standard deviation sigma", face: [it("\u03c3")], range: [LEAST, MOST, 0.05], pick: (sigma) => put({ sigma }) }),
  };
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-gaussian", role: "group", "aria-label": "Noise, scaled and shifted" },
    plot.node, h("div", { class: "ddpm-read" }, equation, found),
    h("div", { class: "ddpm-dials" }, dials.mu.node, dials.sigma.node), h("div", { class: "ddpm-again" }, newNoise(model, put)), live.node,
  );

  const draw = () => {
    const { mu, sigma, seed } = traits(model, "mu", "sigma", "seed");
    if (seed !== drawnSeed) eps = Array.from(noise(seed, DRAWS));
    drawnSeed = seed;
    const x = eps.map((each) => mu + sigma * each);
    const mean = x.reduce((sum, each) => sum + each, 0) / DRAWS;
    const sd = Math.sqrt(x.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (DRAWS - 1));

    lines.noise.setAttribute("d", dots(eps.map((each) => [place(each), UP])));
    lines.draws.setAttribute("d", dots(x.map((each) => [place(each), 1])));
    lines.joins.setAttribute("d", eps.map((each, i) => through([[place(each), UP], [place(x[i]), 1]])).join(""));
    const density = (at) => Math.exp(-(((at - mu) / sigma) ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI));
    lines.density.setAttribute("d", through(upTo(-VIEW, VIEW, 0.05).map((at) => [place(at), height(density(at))])));

    equation.replaceChildren(it("x"), " = ", h("b", {}, shown(mu, 2)), " + ", h("b", {}, shown(sigma, 2)), " ", it("\u03b5"));
    found.replaceChildren(`these ${DRAWS} draws: mean `, h("b", {}, shown(mean, 2)), ", standard deviation ", h("b", {}, shown(sd, 2)));
    dials.mu.show(mu, `mu = ${shown(mu, 2)}`, shown(mu, 2));
    dials.sigma.show(sigma, `sigma = ${shown(sigma, 2)}`, shown(sigma, 2));
    Object.assign(widget.dataset, { mu, sigma, seed, mean, sd });
    const words = `x = ${shown(mu, 2)} + ${shown(sigma, 2)} epsilon: mean of the draws ${shown(mean, 2)}, standard deviation ${shown(sd, 2)}`;
    plot.say(words);
    live.say(words);
  };

  follow(model, ["mu", "sigma", "seed"], draw);
  el.append(widget);
}

// The loss at each t on five scales, and a cursor that reads every curve. State: loss_by_t.py.
function render({ model, el }) {
  const T = model.get("T");
  const names = model.get("names");
  const ts = Array.from(new Uint16Array(bytes(model.get("times")).buffer));
  const losses = model.get("curves").map(floats);
  const logSnr = floats(model.get("log_snr"));
  const bound = floats(model.get("bound"));
  const last = ts.length - 1;
  const put = writer(model);
  const frac = (words, over, under) =>
    h("span", { class: "ddpm-frac ddpm-symbol", role: "math", "aria-label": words }, h("span", {}, ...over), h("span", {}, ...under));
  const noisePart = () => ["1 \u2212 ", alphaBarOf("t")];
  const squared = (node) => h("span", { class: "ddpm-symbol" }, node, h("sup", {}, "2"));

  // of(i): the factor from a squared error of eps to one on this scale, at the time ts[i].
  const scales = {
    eps: { name: "eps", face: () => it("\u03b5"), of: () => 1, law: () => [] },
    x0: {
      name: "x0", face: () => symbol("x", "0"), of: (i) => Math.exp(-logSnr[i]),
      law: () => [frac("1 minus alpha bar t, over alpha bar t", noisePart(), [alphaBarOf("t")])],
    },
    v: {
      name: "v", face: () => it("v"), of: (i) => 1 + Math.exp(-logSnr[i]),
      law: () => [frac("1 over alpha bar t", ["1"], [alphaBarOf("t")])],
    },
    score: {
      name: "score", face: () => "score", of: (i) => 1 + Math.exp(logSnr[i]),
      law: () => [frac("1 over, 1 minus alpha bar t", ["1"], noisePart())],
    },
    bound: {
      name: "in the bound", face: () => "in the bound", of: (i) => bound[i],
      law: () => [
        frac("beta t squared over, 2 sigma t squared, alpha t, times 1 minus alpha bar t",
          [squared(symbol("\u03b2", "t"))], ["2 ", squared(symbol("\u03c3", "t")), " ", symbol("\u03b1", "t"), " (", ...noisePart(), ")"]),
      ],
    },
  };

  const title = h("span");
  // Where each time stands from left to right, as a share; the slider beneath counts in the same way.
  const places = {
    t: ts.map((t) => (t - ts[0]) / (ts[last] - ts[0] || 1)),
    "log SNR": Array.from(logSnr, (x) => (logSnr[0] - x) / (logSnr[0] - logSnr[last] || 1)),
  };
  const units = () => (model.get("axis") === "t" ? ts[last] - ts[0] : 1000);
  const now = () => Math.max(0, ts.indexOf(model.get("t")));
  const time = timeline({
    seek: (place) => {
      // Not every t is kept: take the nearest, and where that would stand still, the next one.
      const away = places[model.get("axis")].map((x) => Math.round(x * units()) - place);
      const near = nearest(away, 0);
      const i = near === now() ? near - Math.sign(away[near]) : near;
      const t = ts[Math.max(0, Math.min(last, i))];
      if (t === model.get("t")) draw(); // the slider's own value has moved
      else put({ t });
    },
  });
  // The curves: a cursor, a dot on each, and the shaded gap between the first two.
  const plot = chart("the loss against time, logarithmic", title, time.clock);
  const gap = plot.line("ddpm-gap");
  const lines = names.map((_, k) => ({ line: plot.line(`ddpm-line-${k}`), dot: plot.line(`ddpm-line-${k} ddpm-dots`) }));
  const cursor = h("span", { class: "ddpm-cursor", "aria-hidden": "true" });
  plot.frame.append(cursor);

  // The numbers at the cursor; the table is the legend as well.
  const excess = names.length > 1;
  const cells = names.map(() => ({ value: h("td"), more: h("td") }));
  const head = h("th", { scope: "col" });
  const table = h(
    "table", { class: "ddpm-read", "aria-label": "the curves at this t" },
    h("thead", {}, h("tr", {}, h("td"), head, ...(excess ? [h("th", { scope: "col" }, `above \u201c${names[0]}\u201d`)] : []))),
    h("tbody", {}, ...names.map((name, k) =>
      h("tr", {}, h("th", { scope: "row" }, h("span", {}, swatch(`ddpm-line-${k}`), name)), cells[k].value, ...(excess ? [cells[k].more] : [])))),
  );
  const law = h("p", { class: "ddpm-law" });
  const keys = Object.keys(scales);
  const scaleChoice = choice("Error of", true, keys.map((scale) =>
    ({ name: scales[scale].name, face: segment(scales[scale].face()), pick: () => put({ scale }) })));
  const axes = Object.keys(places);
  const axisChoice = choice("Against", true, axes.map((axis) =>
    ({ name: axis, face: segment(axis === "t" ? it("t") : axis), pick: () => put({ axis }) })));
  const live = announcer();
  const widget = h(
    "div", { class: "ddpm-widget ddpm-loss", role: "group", "aria-label": "The loss at each t" },
    plot.node, h("div", { class: "ddpm-beneath" }, time.slider), table, law,
    h("div", { class: "ddpm-controls" }, scaleChoice.node, axisChoice.node), live.node,
  );

  // 1, 2, 5, 10 ... around what is seen, and those of them that get a line.
  const round = (value, up) => {
    const n = Math.floor(Math.log10(value));
    const stops = [1, 2, 5, 10].map((stop) => stop * 10 ** n);
    return up ? stops.find((stop) => stop >= value * (1 - 1e-9)) : stops.findLast((stop) => stop <= value * (1 + 1e-9));
  };
  const rungs = (low, high) => {
    const span = Math.log10(high / low);
    const all = [];
    for (let n = Math.floor(Math.log10(low) + 1e-9); 10 ** n <= high * 1.001; n++) {
      if (span < 2.1) all.push(...[1, 2, 5].map((stop) => stop * 10 ** n));
      else if (n % Math.ceil(span / 7) === 0) all.push(10 ** n);
    }
    return all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  };
  const abscissae = (axis) => {
    const [a, b] = axis === "t" ? [ts[0], ts[last]] : [logSnr[0], logSnr[last]];
    const show = (x) => (axis === "t" ? `${x}` : shown(x, 1));
    const step = [1, 2, 5, 10, 20, 25, 50, 100, 250].find((step) => Math.abs(b - a) / step <= 5) ?? 250;
    const inner = [];
    for (let x = Math.ceil(Math.min(a, b) / step) * step; x < Math.max(a, b); x += step) inner.push([(x - a) / (b - a), shown(x, 0)]);
    const clear = axis === "t" ? 0.15 : 0.3; // room for the letters at both ends
    return [[0, ...(axis === "t" ? [it("t")] : [axis]), ` = ${show(a)}`], ...inner.filter(([x]) => x > clear && x < 0.88), [1, show(b)]];
  };

  // The number with its zeros, so that a column of them lines up.
  const number = (value) => (Math.abs(value) >= 1e-4 && Math.abs(value) < 1000 ? value.toPrecision(3).replace("-", "\u2212") : brief(value));
  let drawn = null;
  let values = null;
  let height = null;
  const drawCurves = (scale, axis) => {
    values = losses.map((row) => Array.from(row, (loss, i) => loss * scales[scale].of(i)));
    const seen = values.flat().filter((value) => value > 0 && Number.isFinite(value));
    const top = seen.length ? Math.max(...seen) : 1;
    const high = round(top, true);
    const low = Math.min(high / 10, round(Math.max(top * 1e-9, seen.length ? Math.min(...seen) : 0.1), false));
    height = (value) => (value > 0 ? Math.min(2, Math.log(high / value) / Math.log(high / low)) : value === 0 ? 2 : NaN);
    const curves = values.map((row) => row.map((value, i) => [places[axis][i], height(value)]));
    lines.forEach(({ line }, k) => line.setAttribute("d", through(curves[k])));
    if (curves.length > 1) gap.setAttribute("d", through([...known(curves[0]), ...known(curves[1]).reverse()]));
    plot.ticks(abscissae(axis), rungs(low, high).map((value) => [height(value), brief(value, 1)]));
  };
  const draw = () => {
    const { t, scale, axis } = traits(model, "t", "scale", "axis");
    if (drawn !== `${scale} ${axis}`) drawCurves(scale, axis);
    drawn = `${scale} ${axis}`;
    const i = now();
    const x = places[axis][i];
    const here = values.map((row) => (Number.isFinite(row[i]) ? row[i] : null));
    lines.forEach(({ dot }, k) => dot.setAttribute("d", here[k] === null ? "" : dots([[x, height(here[k])]])));
    cursor.style.left = `${100 * x}%`;
    here.forEach((value, k) => {
      cells[k].value.textContent = value === null ? "\u2013" : number(value);
      const more = k === 0 || value === null || here[0] === null ? null : value - here[0];
      cells[k].more.textContent = more === null ? "" : `${more < 0 ? "" : "+"}${number(more)}`;
    });

    const { face: letter, of, law: factor } = scales[scale];
    const bounding = scale === "bound";
    title.replaceChildren(...(bounding ? ["term of the bound"] : ["mean squared error of ", letter()]));
    head.replaceChildren(bounding ? "nats a dimension" : "error");
    law.replaceChildren(...(
      scale === "eps" ? ["The simple loss takes this error as it is: the factor is 1 at every ", it("t"), "."]
      : !Number.isFinite(of(i)) ? ["The bound has no such term at ", it("t"), " = 1: the decoder\u2019s stands there."]
      : [bounding ? "The term of the bound is " : "The error of ", ...(bounding ? [] : [letter(), " is "]), ...factor(), " = ", h("b", {}, number(of(i))),
        " times that of ", it("\u03b5"), ...(bounding ? [", with ", squared(symbol("\u03c3", "t")), " the posterior\u2019s variance"] : []), "."]
    ));
    time.slider.max = units();
    time.show(t, T, Math.round(x * units()));
    scaleChoice.inputs[keys.indexOf(scale)].checked = true;
    axisChoice.inputs[axes.indexOf(axis)].checked = true;
    const shownValues = Object.fromEntries(names.map((name, k) => [name, here[k]]));
    Object.assign(widget.dataset, { t, scale, axis, factor: Number.isFinite(of(i)) ? of(i) : "", values: JSON.stringify(shownValues) });
    const words = `t = ${t}, error of ${scales[scale].name}: ${names.map((name, k) => `${name} ${cells[k].value.textContent}`).join(", ")}`;
    plot.say(words);
    live.say(words);
  };

  follow(model, ["t", "scale", "axis"], draw);
  el.append(widget);
}

// The loss so far, and the least that is possible where it is known: a chart that never holds more than a few hundred points.

const MOST = 300;

function lossCurve(bounded = true) {
  const picture = chart("the loss", ...(bounded ? ["loss, and ", swatch("ddpm-noise ddpm-dash"), " the least possible"] : ["loss"]));
  const [least, line] = [picture.line("ddpm-noise ddpm-dash"), picture.line("ddpm-signal")];
  let [means, size, rest] = [[], 1, []]; // each of `means` is that of `size` losses
  const clear = () => ([means, size, rest] = [[], 1, []]);
  const add = (losses) => {
    rest.push(...losses);
    const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
    while (rest.length >= size) {
      means.push(mean(rest.splice(0, size)));
      if (means.length < MOST) continue;
      means = upTo(0, MOST / 2 - 1).map((i) => (means[2 * i] + means[2 * i + 1]) / 2);
      size *= 2;
    }
  };
  // The mean of the last losses, about fifty of them where there are so many.
  const last = () => {
    const few = means.slice(-Math.max(1, Math.ceil(50 / size)));
    return few.length ? few.reduce((a, b) => a + b, 0) / few.length : NaN;
  };
  // The losses of `steps` steps, out of `total` where so many are planned.
  const show = (floor, steps, total = steps) => {
    const top = Math.max(0.1, 1.1 * Math.max(floor, ...means.slice(0, 20).filter(Number.isFinite))), y = (loss) => 1 - Math.min(1, loss / top);
    const end = (Math.max(1, means.length - 1) * Math.max(1, total)) / Math.max(1, steps);
    line.setAttribute("d", through(means.map((loss, i) => [i / end, y(loss)])));
    if (bounded) least.setAttribute("d", `M0 ${y(floor).toFixed(4)}H1`);
    picture.ticks([[0, "0"], [1, `${total} steps`]], [[1, "0"], [y(top / 2), brief(top / 2, 2)], [0, brief(top, 2)]]);
    picture.say(`${Number.isFinite(last()) ? brief(last()) : "none yet"} after ${steps} steps${bounded ? `, ${brief(floor)} at least` : ` of ${total}`}`);
  };
  return { node: picture.node, add, clear, last, show };
}

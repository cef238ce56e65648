// How far the points of a walk are from the data, how many of them stray, and how many lie on a point of the data.

const [STRAY, SAME] = [0.3, 0.01];

function distancesOf(frame, data) {
  const from = (i) => {
    let least = Infinity;
    for (let k = 0; k < data.length; k += 2) least = Math.min(least, (frame[i] - data[k]) ** 2 + (frame[i + 1] - data[k + 1]) ** 2);
    return Math.sqrt(least);
  };
  const all = upTo(0, frame.length / 2 - 1).map((i) => from(2 * i)).sort((a, b) => a - b);
  return { median: all[(all.length - 1) >> 1], strays: all.filter((far) => far > STRAY).length, old: all.filter((far) => far < SAME).length };
}

// A line of words below a picture of the plane.
function endLine() {
  const node = h("div", { class: "ddpm-ends" });
  const show = (frame, data) => {
    const { median, strays, old } = frame ? distancesOf(frame, data) : {};
    const words = frame ? [`median distance ${median.toFixed(3)}`, `strays ${strays}`, `on an old point ${old}`] : ["in a walk: how far from the data"];
    node.replaceChildren(...words.map((text) => h("span", {}, text)));
  };
  return { node, show };
}

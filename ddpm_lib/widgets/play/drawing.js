// The reader's own data: a pad, and points strewn over what is drawn on it.

const [SIDE, STREWN, REACH] = [40, 500, 2.4];

// Points of a drawing, x y x y ...: each falls on a pixel as often as it is dark, somewhere within it.
function strewn(ink, random) {
  const total = ink.reduce((sum, v) => sum + v, 0), points = new Float32Array(total > 1 ? 2 * STREWN : 0);
  const uniform = () => random.bits() / 2 ** 32;
  for (let i = 0; i < points.length; i += 2) {
    let left = uniform() * total, pixel = 0;
    while (pixel < ink.length - 1 && (left -= ink[pixel]) > 0) pixel += 1;
    points[i] = REACH * ((2 * ((pixel % SIDE) + uniform())) / SIDE - 1);
    points[i + 1] = -REACH * ((2 * (Math.floor(pixel / SIDE) + uniform())) / SIDE - 1);
  }
  return points;
}

// changed() is called a moment after the last stroke.
function drawing({ say, changed }) {
  let late = null;
  const soon = () => {
    clearTimeout(late);
    late = setTimeout(changed, 250);
  };
  const board = pad({ width: SIDE, height: SIDE, changed: soon, say });
  const tools = ["pen", "eraser"];
  const tool = choice("Tool", true, tools.map((name) => ({ name, pick: () => board.use(name) })));
  tool.inputs[0].checked = true;
  board.example(2);
  const clear = button("Clear", () => {
    board.clear();
    changed();
    say("cleared");
  });
  const node = h("div", { class: "ddpm-board" }, h("div", { class: "ddpm-name" }, "draw here"), board.node, h("div", { class: "ddpm-controls" }, tool.node, clear));
  const points = () => strewn(board.x0().map((v) => (v + 1) / 2), new Normal(0));
  return { node, points };
}

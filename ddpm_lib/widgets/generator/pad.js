// A pad to draw on: with the mouse, a finger or the keyboard, or from one of ten examples.

// The strokes of the ten digits on a grid of 28: x y x y ..., a comma between two strokes.
const STROKES = [
  "14 5 11 6 9 9 8 14 9 19 11 22 14 23 17 22 19 19 20 14 19 9 17 6 14 5",
  "15 5 13 23",
  "8 9 10 6 14 5 18 7 18 11 15 15 8 22 20 22",
  "9 7 13 5 17 7 17 10 13 13 17 15 18 19 15 22 11 22 8 20",
  "10 6 8 14 19 14,18 7 16 23",
  "19 6 11 6 10 13 14 12 18 14 18 19 15 22 10 22 8 20",
  "17 5 12 9 9 15 9 20 12 23 16 22 18 19 17 15 13 14 10 17",
  "8 7 19 7 15 14 12 23",
  "14 13 10 10 11 6 14 5 17 6 18 10 14 13 9 17 10 21 14 23 18 21 18 17 14 13",
  "18 9 16 6 12 6 10 9 12 13 16 12 18 9 17 16 15 23",
];

// How far the pixel's center lies from the line between two points.
function away(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

// x0() is the drawing in [-1, 1], hole() 1 where the reader wants something new. `changed` hears of every stroke, and
// say(words) tells a reader who draws without seeing; `name` is said of the pad.
function pad({ width, height, changed, say, name = "drawing pad" }) {
  const ink = new Float32Array(width * height);
  const hole = new Uint8Array(width * height);
  const scale = width / 28;
  let [tool, withHole, pen, down, focused] = ["pen", false, [width / 2, height / 2], false, false];
  const node = h("canvas", {
    width, height, tabindex: 0, role: "application", class: "ddpm-pad",
    "aria-label": `${name}, ${width} by ${height}: arrow keys move the pen, the space bar puts it down or lifts it`,
  });

  const draw = () => {
    const context = node.getContext("2d");
    const image = context.createImageData(width, height);
    ink.forEach((v, i) => {
      const covered = withHole && hole[i] ? 0.75 : 0;
      [238, 106, 8].forEach((c, k) => (image.data[4 * i + k] = covered * c + (1 - covered) * 255 * v));
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    if (!focused) return;
    context.fillStyle = down ? "#2aa5f5" : "#2aa5f5b0"; // where the pen of the keyboard is
    context.fillRect(Math.floor(pen[0]), Math.floor(pen[1]), 1, 1);
  };
  const line = (from, to, kind = tool) => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [i, d] = [y * width + x, away(x + 0.5, y + 0.5, from, to) / scale];
        const covered = Math.max(0, Math.min(1, (kind === "pen" ? 1.8 : 2.6) - d));
        if (kind === "pen") ink[i] = Math.max(ink[i], covered);
        else if (kind === "eraser") ink[i] = Math.min(ink[i], 1 - covered);
        else if (covered > 0.5) hole[i] = 1;
      }
  };
  const stroke = (from, to) => {
    line(from, to);
    draw();
    changed();
  };

  const place = (event) => {
    const box = node.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  let last = null;
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    focused = down = false;
    stroke((last = place(event)), last);
  });
  node.addEventListener("pointermove", (event) => {
    if (last) stroke(last, (last = place(event)));
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (last = null));

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  node.addEventListener("keydown", (event) => {
    const arrow = arrows[event.key];
    if ((!arrow && event.key !== " ") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const before = pen;
    focused = true;
    if (arrow) pen = pen.map((v, k) => Math.max(0.5, Math.min([width, height][k] - 0.5, Math.floor(v) + 0.5 + arrow[k])));
    else down = !down;
    if (down) stroke(before, pen);
    else draw();
    say(`pen ${down ? "down" : "up"}, column ${Math.ceil(pen[0])}, row ${Math.ceil(pen[1])}`);
  });
  node.addEventListener("focus", () => {
    focused = node.matches(":focus-visible");
    draw();
  });
  node.addEventListener("blur", () => {
    focused = down = false;
    draw();
  });

  const clear = () => {
    ink.fill(0);
    if (withHole) hole.fill(0);
    draw();
  };
  // The strokes of a digit; a hole, at first, is the lower half.
  const example = (digit) => {
    ink.fill(0);
    for (const text of STROKES[digit].split(",")) {
      const numbers = text.split(" ").map((v) => v * scale);
      for (let i = 0; i + 3 < numbers.length; i += 2) line(numbers.slice(i, i + 2), numbers.slice(i + 2, i + 4), "pen");
    }
    draw();
  };
  const halve = () => {
    hole.fill(1, Math.ceil(height / 2) * width);
    draw();
  };
  const use = (name) => (tool = name);
  const show = (hole_) => {
    withHole = hole_;
    draw();
  };
  return { node, clear, example, halve, use, show, x0: () => ink.map((v) => 2 * v - 1), hole: () => hole };
}

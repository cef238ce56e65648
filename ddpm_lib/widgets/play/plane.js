// A picture of the plane: points, their trails, and arrows on a grid. It keeps what it showed and paints it anew where the
// page's colors change.

const [EDGE, PIXELS, CELLS] = [2.8, 480, 15];

// The places of the arrows, x y x y ...
const lattice = () => Float32Array.from({ length: 2 * CELLS * CELLS }, (_, i) => {
  const place = i % 2 ? Math.floor(i / 2 / CELLS) : (i >> 1) % CELLS;
  return EDGE * ((2 * (place + 0.5)) / CELLS - 1);
});

// plane("ddpm-signal") -> its canvas and show({ points, arrows, trails, data }, label).
function plane(color) {
  const node = h("canvas", { width: PIXELS, height: PIXELS, role: "img", class: `ddpm-plane ${color}` });
  const across = (x) => ((x / EDGE + 1) * PIXELS) / 2;
  const down = (y) => ((1 - y / EDGE) * PIXELS) / 2;
  const grid = lattice();
  let shown = {};
  const dots = (context, points, radius) => {
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      context.moveTo(across(points[i]) + radius, down(points[i + 1]));
      context.arc(across(points[i]), down(points[i + 1]), radius, 0, 7);
    }
    context.fill();
  };
  // An arrow's length says how far it points, up to nearly a cell.
  const arrow = (context, x, y, dx, dy) => {
    const size = Math.hypot(dx, dy), most = (0.92 * PIXELS) / CELLS;
    if (!(size > 0.01)) return;
    const length = most * Math.tanh(size), [ux, uy] = [dx / size, -dy / size], head = Math.min(6, length / 2);
    const [ex, ey] = [x + length * ux, y + length * uy];
    context.moveTo(x, y);
    context.lineTo(ex, ey);
    context.moveTo(ex - head * (ux + 0.6 * uy), ey - head * (uy - 0.6 * ux));
    context.lineTo(ex, ey);
    context.lineTo(ex - head * (ux - 0.6 * uy), ey - head * (uy + 0.6 * ux));
  };
  const paint = () => {
    const { points, arrows, trails, data } = shown, context = node.getContext("2d");
    const [ink, quiet] = [getComputedStyle(node).color, getComputedStyle(node.parentNode ?? node).color];
    context.clearRect(0, 0, PIXELS, PIXELS);
    Object.assign(context, { fillStyle: quiet, globalAlpha: 0.3 });
    if (data) dots(context, data, 2);
    if (arrows) {
      Object.assign(context, { strokeStyle: quiet, globalAlpha: 0.75, lineWidth: 1.3 });
      context.beginPath();
      for (let i = 0; i < grid.length; i += 2) arrow(context, across(grid[i]), down(grid[i + 1]), arrows[i], arrows[i + 1]);
      context.stroke();
    }
    Object.assign(context, { strokeStyle: ink, fillStyle: ink, globalAlpha: 0.35, lineWidth: 1.2 });
    if (trails?.length > 1) {
      context.beginPath();
      for (let i = 0; i < trails[0].length; i += 2)
        trails.forEach((frame, k) => context[k ? "lineTo" : "moveTo"](across(frame[i]), down(frame[i + 1])));
      context.stroke();
    }
    context.globalAlpha = 0.85;
    if (points) dots(context, points, 3);
  };
  const show = (what, label) => {
    shown = what;
    node.setAttribute("aria-label", label);
    if (node.isConnected) paint();
  };
  const theme = new MutationObserver(() => node.isConnected && paint());
  for (const root of [document.documentElement, document.body]) theme.observe(root, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", paint);
  new ResizeObserver(paint).observe(node);
  const close = () => {
    theme.disconnect();
    dark.removeEventListener("change", paint);
  };
  return { node, show, close };
}

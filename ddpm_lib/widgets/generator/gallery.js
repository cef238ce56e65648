// Pixels in [-1, 1] as bytes, what lies beyond clipped.
const levelsOf = (x) => Uint8ClampedArray.from(x, (v) => (v + 1) * 127.5);

const FAINT = 0x1c808080; // the place of a picture that is not drawn yet, on a light page and on a dark one

// n pictures in a square of their own, or so many `across`, named by `label`, each n-th of `levels` one of them; nothing
// where there are none. To show the same `levels` again paints nothing.
// blank(k): whether the k-th is not drawn yet.
function gallery(width, height, across) {
  const node = h("canvas", { role: "img", class: "ddpm-gallery" });
  let [painted, many, image] = [];
  const show = (levels, n, label, blank = () => false) => {
    node.setAttribute("aria-label", label);
    if (painted === levels && many === n) return;
    [painted, many] = [levels, n];
    const columns = across ?? Math.ceil(Math.sqrt(n)), rows = across ? Math.ceil(n / across) : columns;
    const [wide, high] = [columns * (width + 2) - 2, rows * (height + 2) - 2], context = node.getContext("2d");
    if (image?.width !== wide || image.height !== high) {
      Object.assign(node, { width: wide, height: high });
      image = context.createImageData(wide, high);
    }
    // Red, green and blue of a pixel are one level; alpha, the highest byte, is full, and none between the pictures.
    const pixels = new Uint32Array(image.data.buffer).fill(0);
    for (let k = 0, from = 0; levels && k < n; k++) {
      const corner = Math.floor(k / columns) * (height + 2) * wide + (k % columns) * (width + 2);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const level = levels[from++];
          pixels[corner + y * wide + x] = blank(k) ? FAINT : level * 0x010101 + 0xff000000;
        }
    }
    context.putImageData(image, 0, 0);
  };
  return { node, show };
}

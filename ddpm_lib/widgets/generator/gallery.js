// Pixels in [-1, 1] as bytes, what lies beyond clipped.
const levelsOf = (x) => Uint8ClampedArray.from(Float64Array.from(x).map((v) => (v + 1) * 127.5));

// n pictures in a square of their own, or so many `across`, named by `label`, each n-th of `levels` one of them; nothing
// where there are none.
function gallery(width, height, across) {
  const node = h("canvas", { role: "img", class: "ddpm-gallery" });
  const show = (levels, n, label) => {
    node.setAttribute("aria-label", label);
    const columns = across ?? Math.ceil(Math.sqrt(n)), rows = across ? Math.ceil(n / across) : columns;
    const size = { width: columns * (width + 2) - 2, height: rows * (height + 2) - 2 };
    if (node.width !== size.width || node.height !== size.height) Object.assign(node, size);
    const context = node.getContext("2d");
    context.clearRect(0, 0, node.width, node.height);
    for (let k = 0; levels && k < n; k++) {
      const image = context.createImageData(width, height);
      // Red, green and blue of a pixel are one level; alpha, the highest byte, is full.
      const pixels = new Uint32Array(image.data.buffer);
      for (let i = 0; i < width * height; i++) pixels[i] = levels[k * width * height + i] * 0x010101 + 0xff000000;
      context.putImageData(image, (k % columns) * (width + 2), Math.floor(k / columns) * (height + 2));
    }
  };
  return { node, show };
}

// n pictures in a square of their own, named by `label`, each n-th of `levels` one of them; nothing where there are none.
function gallery(width, height) {
  const node = h("canvas", { role: "img", class: "ddpm-gallery" });
  const show = (levels, n, label) => {
    node.setAttribute("aria-label", label);
    const columns = Math.ceil(Math.sqrt(n));
    const side = (pixels) => columns * (pixels + 2) - 2;
    if (node.width !== side(width) || node.height !== side(height))
      Object.assign(node, { width: side(width), height: side(height) });
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

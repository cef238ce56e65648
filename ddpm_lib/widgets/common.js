// Shared by the widgets: elements without innerHTML (some hosts forbid it), numbers, noise, pictures.

// h("div", { class: "a", onclick: f }, child, "text") -> element
function h(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function floats(base64) {
  return new Float32Array(bytes(base64).buffer);
}

// Standard Gaussian noise, the same numbers as noise.py: mulberry32, then Box-Muller.
function noise(seed, n) {
  let a = seed | 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), a | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  const eps = new Float64Array(n + (n % 2));
  for (let i = 0; i < n; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    eps[i] = radius * Math.cos(angle);
    eps[i + 1] = radius * Math.sin(angle);
  }
  return eps.subarray(0, n);
}

// Paints x (channels x height x width) on a canvas; -1 is black, 1 is white, what lies beyond is clipped.
function paint(canvas, x, channels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const size = canvas.width * canvas.height;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = (x[(k % channels) * size + i] + 1) * 127.5;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

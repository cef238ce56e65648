"""A worker that answers as the engine does, at once and smoothly, for the tests of the page around it.

`detail` may ask for trouble: {"refuse": message} for weights that cannot be read, {"crash": step} for a worker that
throws there, {"hang": step} for one that says nothing more (both for seed 0 only), {"mute": True} for one that never
starts. {"pace": ms} is the time of a step, {"kind": name} that of its matrix product.
"""

FAKE_WORKER = """
let detail = {};
let current = null;
let paused = false;
let granted = 0;
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function sample({ id, n, labels, steps, seed, x, from, mask, known }) {
  const start = from ?? 500;
  const size = x.length / n;
  current = id;
  paused = false;
  for (let step = 0; step <= steps; step++) {
    if (step) await rest(detail.pace ?? 1);
    while (paused && !granted && current === id) await rest(1);
    if (current !== id) return;
    granted = Math.max(0, granted - 1);
    if (step === detail.hang && seed === 0) return;
    if (step === detail.crash && seed === 0) setTimeout(() => { throw Error("out of memory"); });
    const share = step / steps;
    const end = (i) => Math.sin(seed + labels[Math.floor(i / size)] + (i % size) / 30);
    const guess = x.map((_, i) => (mask && mask[i % size] ? known[i % size] : end(i)));
    const xt = x.map((v, i) => (1 - share) * v + share * guess[i]);
    const t = Math.round(start * (1 - share));
    postMessage({ type: "state", id, step, steps, t, xt, x0_hat: step ? guess : null });
  }
  current = null;
  postMessage({ type: "done", id, ms: 1 });
}
onmessage = ({ data }) => {
  if (data.type === "load") {
    detail = data.detail;
    if (detail.mute) return;
    const { refuse, kind = "fake" } = detail;
    postMessage(refuse ? { type: "error", message: refuse } : { type: "loaded", kind });
  } else if (data.type === "run") sample(data);
  else if (data.type === "cancel") current = null;
  else if (data.type === "pause") paused = true;
  else if (data.type === "resume") paused = false;
  else if (data.type === "step") granted += paused ? 1 : 0;
};
"""

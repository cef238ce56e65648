// From one picture to another through noise, as ddpm_lib/evaluate/editing.py does it.

// On the arc from a (share 0) to b (share 1): two normal draws stay one (slerp).
function arc(a, b, share) {
  const [dot, aa, bb] = [[a, b], [a, a], [b, b]].map(([p, q]) => p.reduce((sum, v, i) => sum + v * q[i], 0));
  const angle = Math.max(1e-6, Math.acos(Math.max(-1, Math.min(1, dot / Math.sqrt(aa * bb)))));
  return blend(a, b, Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle));
}

const blend = (a, b, from, to) => a.map((v, i) => from * v + to * b[i]);

// `count` pictures from a to b, one after another in one list, each way(a, b, share).
function between(a, b, count, way) {
  const row = new Float32Array(count * a.length);
  for (let i = 0; i < count; i++) row.set(way(a, b, i / (count - 1)), i * a.length);
  return row;
}

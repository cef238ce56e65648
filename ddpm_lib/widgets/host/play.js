// Play: one walk from at() (a share from 0 to 1) to 1 through go(share), about `seconds` for the whole, in at
// most steps() steps. Who asked for less motion gets ten of them.
function playButton({ at, go, steps, seconds = 6 }) {
  const icon = h("path", {});
  const word = h("span");
  const node = h(
    "button", { type: "button", class: "ddpm-button ddpm-play", onclick: () => (playing ? stop() : start()) },
    h("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, icon), word,
  );
  let playing = null;
  const show = () => {
    word.textContent = playing ? "Pause" : "Play";
    icon.setAttribute("d", playing ? "M1 0h3v10H1zM6 0h3v10H6z" : "M1 0l9 5-9 5z");
  };
  const start = () => {
    const n = matchMedia("(prefers-reduced-motion: reduce)").matches ? 10 : steps();
    const from = at() < 1 ? at() : 0;
    let begun = null;
    let last = null;
    const tick = (now) => {
      begun ??= now;
      const share = Math.min(1, from + Math.floor(((now - begun) / (1000 * seconds)) * n) / n);
      if (!node.isConnected) return stop();
      if (share !== last) go((last = share));
      if (share >= 1) return stop();
      playing = requestAnimationFrame(tick);
    };
    playing = requestAnimationFrame(tick);
    show();
  };
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = null;
    show();
  };
  show();
  return { node, stop };
}

// Press Train: a network learns to draw digits, here in the page, and then draws what is asked of it. State: digits.py.
function render({ model, el }) {
  const put = writer(model);
  const live = announcer();
  const [side, across] = [model.get("about").side, 5];
  const [made, known] = [gallery(side, side, across), gallery(side, side, across)];
  const [after, what] = [h("span", { class: "ddpm-word" }), h("span", { class: "ddpm-word" })];
  const panel = (name, word, node) => h("div", { class: "ddpm-panel" }, h("div", { class: "ddpm-name" }, name, word), node);
  const panels = h("div", { class: "ddpm-pictures" }, panel("drawn", after, made.node), panel("written by people", what, known.node));
  const curve = lossCurve(false);

  const film = h("input", { type: "range", min: 0, step: 1, "aria-label": "through what was drawn during the training", oninput: () => run.go(film.valueAsNumber) });
  const clock = h("output", { class: "ddpm-clock", "aria-hidden": "true" });
  const main = button("Train", () => (["training", "loading"].includes(run.state) ? run.pause() : run.train()), "ddpm-main");
  const reset = button("Reset", () => run.begin());
  const status = h("div", { class: "ddpm-status" });
  const done = h("div", { class: "ddpm-unseen", role: "progressbar", "aria-label": "steps of training", "aria-valuemin": 0 });

  const digits = ["each", ...upTo(0, 9)];
  const digit = choice("Digit", true, digits.map((value) => ({ name: value === "each" ? "each in turn" : `${value}`, pick: () => put({ digit: value }) })));
  const seeds = seedControls({ model, put });
  const seed = h("label", { class: "ddpm-seed" }, h("span", { class: "ddpm-label" }, "seed"), seeds.number);
  const length = dial({ label: "steps of training", face: ["steps"], stops: [300, 600, 1200, 2400, 4800], scale: Math.log, pick: (steps) => put({ steps }) });

  const file = h("input", { type: "file", accept: ".safetensors", hidden: "", "aria-label": "a file of a network", onchange: async () => {
    const chosen = await file.files[0]?.arrayBuffer();
    file.value = "";
    if (chosen) run.begin(new Uint8Array(chosen));
  } });
  const open = button("Open a network", () => file.click());
  const save = button("Save the network", () => {
    const href = URL.createObjectURL(new Blob([run.file]));
    h("a", { href, download: "digits.safetensors" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  });
  const python = pythonToCopy("Once it is saved, the same network draws the same digits in Python:", live.say);
  const widget = h(
    "div", { class: "ddpm-widget ddpm-digits", role: "group", "aria-label": "Train a network on digits here" },
    panels, h("div", { class: "ddpm-time" }, h("div", { class: "ddpm-track" }, film), clock),
    h("div", { class: "ddpm-press" }, main, reset, status), done, curve.node,
    digit.node, h("div", { class: "ddpm-controls" }, length.node, h("span", { class: "ddpm-options" }, seed, seeds.dice)),
    h("div", { class: "ddpm-controls ddpm-files" }, h("span", { class: "ddpm-options" }, save, open, file)), python.node, live.node,
  );

  // Before anything is drawn: the noise that a drawing begins with, and the digits that came with the page.
  const examples = Array.from(bytes(model.get("examples"))).flatMap((pair) => [17 * (pair >> 4), 17 * (pair & 15)]);
  let [seen, noisy] = [null, null];
  const draw = () => {
    const { state, film: shown, at, steps, total } = run, { classes, seed: first } = run.look(), n = classes.length;
    const named = model.get("digit") === "each" ? "the ten digits" : `ten times ${model.get("digit")}`;
    const frame = shown[at];
    if (!frame && seen !== first) [seen, noisy] = [first, levelsOf(upTo(0, n - 1).flatMap((i) => Array.from(noise(first + i, side * side))))];
    made.show(frame ? frame.levels : noisy, n, frame ? `${named}, drawn after ${stepsOf(frame.steps)} of training, seed ${first}` : `noise of the seeds ${first} to ${first + n - 1}: nothing is drawn yet`);
    known.show(run.real ?? examples, n, run.real ? `${named}, written by people` : "the ten digits, written by people");
    after.textContent = frame ? `after ${stepsOf(frame.steps)}` : "nothing yet: noise";
    what.textContent = run.real ? "what it learns from" : "from MNIST";
    film.max = Math.max(1, shown.length - 1);
    film.value = shown.length > 1 ? at : 1;
    film.disabled = shown.length < 2;
    film.setAttribute("aria-valuetext", frame ? `after ${stepsOf(frame.steps)}` : "nothing drawn yet");
    clock.textContent = `step ${counted(frame ? frame.steps : 0)}`; // a line of its own on a phone, from the start
    status.textContent = run.status;
    main.textContent = { idle: steps ? "Train on" : "Train", loading: "Cancel", training: "Pause", paused: "Go on", done: "Train on", error: "Train" }[state];
    length.input.disabled = steps > 0 || state === "loading" || state === "training"; // another number begins anew
    reset.disabled = !steps && state !== "error";
    save.disabled = !run.file;
    python.node.hidden = !run.file;
    done.setAttribute("aria-valuemax", Math.max(1, total));
    done.setAttribute("aria-valuenow", steps);
    const passed = Object.entries(traits(model, "digit", "seed")).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
    python.show(`from ddpm_lib.widgets import DigitsWidget\nDigitsWidget("digits.safetensors", ${passed}).draw()`);
    Object.assign(widget.dataset, { state, steps, drawn: frame ? frame.steps : "", film: shown.length, speed: run.speed.toFixed(2), loss: curve.last(), saved: Boolean(run.file) });
  };
  const sync = () => {
    digit.inputs[digits.indexOf(model.get("digit"))].checked = true;
    seeds.show();
    length.show(model.get("steps"), `${model.get("steps")} steps`, counted(model.get("steps")));
  };
  const changed = (why) => {
    if (why === "begin") curve.clear();
    curve.add(run.losses);
    run.losses = [];
    curve.show(0, run.steps - run.from, Math.max(1, run.total - run.from));
    draw();
  };
  const run = digitsSession({ model, root: widget, say: live.say, changed });
  follow(model, ["digit", "seed", "steps"], sync);
  el.append(widget);
  const learned = model.get("learned");
  run.begin(learned ? bytes(learned) : undefined);
  const sight = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) sight.disconnect(), run.time();
  });
  sight.observe(widget);
  return () => (sight.disconnect(), run.close());
}

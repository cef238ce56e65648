// A session of training: what the worker has said so far, and what the page asks of it. It draws nothing.

const RECIPE = ["data", "schedule", "T", "predicts", "width", "seed"]; // whoever changes one of these begins anew
const LONG = 10000; // steps after which it rests by itself
const UNSEEN = "It rests while this page is out of sight. ";

// pointsOf(): the data. changed(why): there is something to draw. The fields of what it returns are there to be read.
function session({ model, root, pointsOf, say, changed }) {
  const grid = lattice();
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const run = { state: "idle", status: "", steps: 0, speed: 0, least: 0, seen: null, exact: null, walk: null, points: null, losses: [], kind: "" };
  let [id, spent, since, own, loaded, why] = [0, 0, 0, "", "", ""]; // why: it rests, though nobody pressed Pause
  const worker = trainer({ source: model.get("worker"), root, hear: (message) => message.id !== undefined && message.id !== id ? undefined : hear[message.type](message) });
  const chosen = () => traits(model, "schedule", "T", "predicts", "width", "lr", "seed");
  const look = () => worker.send({ type: "look", t: model.get("t"), grid, samples: { n: 250, steps: 20, seed: 1 } });

  // Back to the start: fresh weights, or those that were handed over.
  const begin = (learned = "") => {
    id += 1;
    Object.assign(run, { state: "idle", steps: 0, speed: 0, losses: [], walk: null, points: pointsOf(), seen: null, exact: null });
    [spent, since, loaded, why] = [0, 0, learned, ""];
    run.status = run.points.length ? "Press Train: the network learns here, in this browser." : "There is nothing to learn: draw something first.";
    changed("begin");
    if (!run.points.length) return;
    look();
    try {
      worker.send({ type: "start", id, recipe: chosen(), points: run.points, learned: learned ? JSON.parse(learned) : undefined });
    } catch {
      hear.error({ message: "The file holds no weights: choose one that this page or Python wrote." });
    }
  };
  const about = () => {
    const speed = run.speed ? `, ${run.speed >= 100 ? Math.round(run.speed / 10) * 10 : Math.round(run.speed)} a second here` : "";
    return `${why}${run.steps} step${run.steps === 1 ? "" : "s"}${speed}.`;
  };
  const train = () => {
    if (!run.points?.length) return say(run.status);
    if (run.state === "error") begin();
    Object.assign(run, { state: "training", walk: null });
    [spent, since, why] = [-1, run.steps, ""];
    worker.send({ type: "pace", ms: calm() ? 1500 : 120 });
    worker.send({ type: "train" });
    say("training");
    changed("state");
  };
  const pause = (reason = "") => {
    if (run.state !== "training") return;
    [run.state, why] = ["paused", reason];
    worker.send({ type: "pause" });
    worker.send({ type: "save" });
    run.status = about();
    changed("state");
    say(`paused after ${run.steps} steps`);
  };
  const once = () => {
    if (!run.points?.length) return;
    pause();
    why = "";
    Object.assign(run, { state: "paused", walk: null });
    worker.send({ type: "step" });
    worker.send({ type: "save" });
  };
  const goWalk = () => {
    if (!run.points?.length) return;
    pause();
    worker.send({ type: "walk", kind: model.get("sampler"), n: 150, steps: model.get("steps"), seed: model.get("seed") });
  };
  const stop = () => (run.walk ? ((run.walk = null), changed("state")) : null);

  const hear = {
    state: (heard) => {
      Object.assign(run, { steps: heard.steps, least: heard.least, losses: heard.losses, kind: heard.kind, seen: heard });
      if (heard.exact) run.exact = heard.exact;
      if (spent < 0) [spent, since] = [heard.spent, heard.steps];
      else if (heard.spent > spent) run.speed = (1000 * (heard.steps - since)) / (heard.spent - spent);
      if (loaded && run.state === "idle") run.status = `A network that was trained for ${heard.steps} steps.`;
      else if (heard.steps) run.status = about() + (heard.kind === "javascript" ? " This browser has no WebAssembly SIMD, which is several times as fast." : "");
      changed("state");
      if (run.state === "training" && run.steps - since >= LONG) pause(`It rests after ${LONG} steps more: press Train to go on. `);
    },
    walk: ({ ts, frames, exact }) => {
      run.walk = { ts, frames, exact };
      changed("walk");
      say(`a walk in ${ts.length - 1} steps`);
    },
    saved: ({ learned }) => {
      own = JSON.stringify(learned);
      model.set("learned", own);
      model.save_changes();
      changed("saved");
    },
    error: ({ message }) => {
      Object.assign(run, { state: "error", status: message });
      say(message);
      changed("error");
    },
  };
  for (const name of RECIPE) model.on(`change:${name}`, () => begin());
  model.on("change:lr", () => worker.send({ type: "rate", lr: model.get("lr") }));
  model.on("change:t", look);
  model.on("change:learned", () => model.get("learned") && model.get("learned") !== own && begin(model.get("learned")));
  // A page that nobody sees does not train: it rests, and goes on when the reader comes back.
  const attend = () => {
    if (document.hidden) pause(UNSEEN);
    else if (run.state === "paused" && why === UNSEEN) train();
  };
  document.addEventListener("visibilitychange", attend);
  const close = () => (document.removeEventListener("visibilitychange", attend), worker.close());
  return Object.assign(run, { begin, train, pause, once, goWalk, stop, calm, close });
}

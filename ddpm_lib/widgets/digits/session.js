// A session of training on digits: what the worker has said so far, and what the page asks of it. It draws nothing.

const UNSEEN = "It rests while this page is out of sight. ";
const CLASSES = 10;
// Workers that share a step, where there are cores for both and for the reader. Four would take half as much again of the
// processor, to be a quarter faster (benchmarks/team.py).
const WORKERS = navigator.hardwareConcurrency > 2 ? 2 : 1;
const stepsOf = (n) => `${counted(n)} step${n === 1 ? "" : "s"}`;
// "48 s", or "3 minutes".
const duration = (ms) => (ms < 99500 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(ms / 60000)} minutes`);
const counted = (n) => n.toLocaleString("en-US");

// The digits, as JSON: in the output, from Python, or from a file beside the page.
async function digitsToLearn(model) {
  if (model.get("images")) return JSON.parse(model.get("images"));
  const found = model.send
    ? fromKernel(model, "images", "Python did not send the digits: run this cell again.")
    : besidePage({
        url: model.get("url"),
        event: "ddpm-images",
        broken: "The file with the digits is broken: load the page again.",
        missing: "The digits do not lie beside this page: open the published book, or run this cell.",
      });
  return (await found).detail;
}

// root: the widget's element. say: to a screen reader. changed(why): there is something to draw. The fields of what it
// returns are there to be read: `film` is what was drawn so far, { steps, levels }, and `at` what of it is looked at.
function digitsSession({ model, root, say, changed }) {
  const { about, drawing, recipe } = traits(model, "about", "drawing", "recipe");
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const run = { state: "idle", status: "", steps: 0, from: 0, total: 0, speed: 0, losses: [], film: [], at: 0, real: null, file: null, kind: "" };
  let [id, spent, since, pace, own, why, follows, wanted] = [0, 0, 0, 0, "", "", true, 0]; // pace: milliseconds a step
  let [begun, given, timed, measured] = [false, false, false, false]; // given: the worker has the digits
  const worker = trainer({ source: model.get("worker"), root, more: WORKERS - 1, hear: (heard) => (heard.id !== undefined && heard.id !== id ? undefined : hear[heard.type](heard)) });
  const look = () => {
    const { digit, seed } = traits(model, "digit", "seed");
    return { classes: upTo(0, CLASSES - 1).map((i) => (digit === "each" ? i : digit)), seed, ...drawing };
  };
  const chosen = () => {
    const seed = model.get("training_seed");
    return { ...recipe, steps: model.get("steps"), seed: seed < 0 ? Math.floor(Math.random() * 2 ** 31) : seed };
  };
  const slow = () => (run.kind === "javascript" ? " This browser has no WebAssembly SIMD, with which it would be seven to nine times as fast." : "");
  const left = () => duration((run.total - run.steps) * pace);
  const enter = (state, status) => {
    Object.assign(run, { state, status });
    changed("state");
  };

  // What a press will cost.
  const price = () => {
    const load = !given && !model.get("images") ? `${model.send ? "gets" : "loads"} ${(model.get("size") / 1e6).toFixed(1)} MB of digits and ` : "";
    const time = measured ? `, about ${duration(run.total * pace)} on this device` : "";
    return `Train ${load}takes ${stepsOf(run.total)}${time}. ${WORKERS > 1 ? "Two cores of the processor are" : "One core of the processor is"} busy with it.${slow()}`;
  };
  // Back to the start: fresh weights, or those of a file.
  const begin = (file) => {
    id += 1;
    Object.assign(run, { steps: 0, from: 0, total: model.get("steps"), losses: [], film: [], at: 0, file: null });
    [spent, since, why, begun, follows] = [0, 0, "", false, true];
    if (file) open(file);
    enter("idle", file ? "Reading the file \u2026" : price());
    changed("begin");
  };
  const open = (file) => {
    begun = true;
    worker.send({ type: "begin", id, recipe: chosen(), about, look: look(), file });
  };
  // Asked for once the reader sees the widget: how long a step takes here.
  const time = () => {
    if (timed || begun) return;
    timed = true;
    worker.send({ type: "time", recipe: chosen(), about });
  };
  const train = async () => {
    if (run.state === "error") begin();
    const mine = (wanted += 1);
    if (run.steps >= run.total) run.total = run.steps + model.get("steps"); // another run of as many steps
    if (!begun) open();
    if (!given && mine === wanted) {
      enter("loading", "Loading the digits \u2026");
      say("loading the digits");
      try {
        const images = await digitsToLearn(model);
        if (mine !== wanted) return;
        worker.send({ type: "data", images });
        given = true;
      } catch (error) {
        return mine === wanted && hear.error(error);
      }
    }
    if (mine !== wanted) return; // it failed
    [spent, since, why] = [-1, run.steps, ""];
    worker.send({ type: "train", pace: calm() ? 1500 : 150, every: Math.ceil(model.get("steps") / (calm() ? 6 : 24)) });
    enter("training", "The first steps \u2026");
    say("training");
    if (document.hidden) pause(UNSEEN);
  };
  const rest = () => `${why}Paused after ${stepsOf(run.steps)}${pace ? `, about ${left()} from the end` : ""}. What you choose is drawn by the network as it is now.`;
  const pause = (reason = "") => {
    if (run.state === "loading") {
      wanted += 1;
      return enter("idle", price());
    }
    if (run.state !== "training") return;
    why = reason;
    for (const type of ["pause", "save"]) worker.send({ type });
    enter("paused", rest());
    say(`paused after ${stepsOf(run.steps)}`);
  };
  const go = (place) => {
    run.at = Math.max(0, Math.min(place, run.film.length - 1));
    follows = run.at === run.film.length - 1;
    changed("look");
  };

  const hear = {
    timed: ({ ms, kind }) => {
      [pace, measured] = [ms, true];
      run.kind = kind;
      if (run.state === "idle" && !run.steps) enter("idle", price());
    },
    state: ({ steps, spent: total, losses, on, kind }) => {
      const moved = steps !== run.steps;
      Object.assign(run, { steps, kind, losses });
      if (run.state === "idle" && steps) {
        Object.assign(run, { from: steps, total: steps });
        run.status = `A network that was trained for ${stepsOf(steps)}.`;
        worker.send({ type: "save" });
      }
      if (spent < 0) [spent, since] = [total - losses.length * pace, steps - losses.length];
      else if (steps - since > 4) [pace, run.speed] = [(total - spent) / (steps - since), (1000 * (steps - since)) / (total - spent)];
      if (run.state === "training" && !on && steps >= run.total) {
        run.state = "done";
        run.status = `${stepsOf(steps)} in ${duration(total)}. Choose a digit or a seed: your own network draws it.${slow()}`;
        worker.send({ type: "save" });
        say(`done: ${stepsOf(steps)}`);
      } else if (run.state === "training") {
        run.status = `Step ${counted(steps)} of ${counted(run.total)}, ${run.speed.toFixed(run.speed < 9.5 ? 1 : 0)} a second, about ${left()} left.${slow()}`;
        const quarter = Math.floor((4 * (steps - run.from)) / (run.total - run.from));
        if (moved && quarter > Math.floor((4 * (steps - losses.length - run.from)) / (run.total - run.from))) say(`step ${steps} of ${run.total}`);
      } else if (run.state === "paused") run.status = rest();
      changed("losses");
    },
    drawn: ({ steps, look: seen, x }) => {
      if (JSON.stringify(seen) !== JSON.stringify(look())) return; // something else was chosen meanwhile
      if (run.film.at(-1)?.steps === steps) run.film.pop(); // the same, drawn in more steps
      run.film.push({ steps, levels: levelsOf(x) });
      if (follows) run.at = run.film.length - 1;
      changed("drawn");
    },
    real: ({ x }) => {
      run.real = levelsOf(x);
      changed("look");
    },
    saved: ({ file, text }) => {
      run.file = file;
      own = text;
      model.set("learned", own);
      model.save_changes();
      changed("saved");
    },
    error: ({ message }) => {
      worker.close();
      [begun, given] = [false, false];
      wanted += 1;
      enter("error", message);
      say(message);
    },
  };
  for (const name of ["digit", "seed"])
    model.on(`change:${name}`, () => {
      Object.assign(run, { film: [], at: 0 });
      follows = true;
      if (begun) worker.send({ type: "look", look: look() });
      changed("look");
    });
  model.on("change:steps", () => begin());
  model.on("change:learned", () => model.get("learned") && model.get("learned") !== own && begin(bytes((own = model.get("learned")))));
  // A page that nobody sees does not train: it rests, and goes on when the reader comes back.
  const attend = () => {
    if (document.hidden && run.state === "training") pause(UNSEEN);
    else if (!document.hidden && run.state === "paused" && why === UNSEEN) train();
  };
  // Who leaves the page ends its worker; if the page is shown again as it was, what was saved last is there.
  const back = ({ persisted }) => {
    if (!persisted || !begun) return;
    given = false;
    begin(run.file ?? undefined);
  };
  document.addEventListener("visibilitychange", attend);
  addEventListener("pageshow", back);
  const close = () => {
    document.removeEventListener("visibilitychange", attend);
    removeEventListener("pageshow", back);
    worker.close();
  };
  return Object.assign(run, { begin, time, train, pause, go, look, close });
}

// The worker that trains, made from its text: it lives until `root` leaves the page. State and words: session.js.

// send(message) posts to it. hear(message) is told what it says, and { type: "error", message } where it fails. Where there
// are `more` of them, they serve at ports that the first is given as its team.
function trainer({ source, root, hear, more = 0 }) {
  let [worker, team] = [null, []];
  const close = () => {
    for (const each of [worker, ...team]) each?.terminate();
    [worker, team] = [null, []];
    removeEventListener("pagehide", close);
  };
  const fail = (message) => {
    close();
    hear({ type: "error", message });
  };
  const open = () => {
    if (typeof Worker === "undefined") return fail("This browser has no background workers, which training needs: try another one.");
    try {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      worker = new Worker(url);
      worker.onmessage = ({ data }) => {
        URL.revokeObjectURL(url);
        if (root.isConnected) hear(data);
        else close();
      };
      team = upTo(1, more).map(() => new Worker(url));
      for (const each of [worker, ...team])
        each.onerror = (event) => {
          event.preventDefault(); // it is said in the widget
          fail(`The training stopped: ${event.message ?? "its worker could not start"}. Press Reset to begin anew.`);
        };
      const ends = team.map((each) => {
        const { port1, port2 } = new MessageChannel();
        each.postMessage({ type: "serve", port: port1 }, [port1]);
        return port2;
      });
      if (more) worker.postMessage({ type: "team", ports: ends }, ends);
      addEventListener("pagehide", close);
    } catch (error) {
      fail(`This page may start no background worker, which training needs (${error.message}): open it by itself.`);
    }
  };
  const send = (message) => {
    if (!worker) open();
    worker?.postMessage(message);
  };
  return { send, close };
}

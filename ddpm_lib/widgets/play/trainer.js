// The worker that trains, made from its text: it lives until `root` leaves the page. State and words: session.js.

// send(message) posts to it. hear(message) is told what it says, and { type: "error", message } where it fails.
function trainer({ source, root, hear }) {
  let worker = null;
  const close = () => {
    worker?.terminate();
    worker = null;
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
      worker.onerror = (event) => {
        event.preventDefault(); // it is said in the widget
        fail(`The training stopped: ${event.message ?? "its worker could not start"}. Press Reset to begin anew.`);
      };
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

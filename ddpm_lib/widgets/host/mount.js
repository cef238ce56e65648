// Starts this module in every host that carries its key and is not yet running. `model` stands in for a
// kernel: the part of anywidget's model that the widgets use.
for (const host of document.querySelectorAll(`[data-ddpm-widget="${key}"]`)) {
  if (host.ddpmMounted) continue; // a property, not an attribute: a saved copy of the page starts afresh
  host.ddpmMounted = true;
  const state = JSON.parse(host.dataset.ddpmState);
  const listeners = {};
  const model = {
    get: (name) => state[name],
    set: (name, value) => {
      if (state[name] === value) return;
      state[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    save_changes: () => {},
  };
  const el = document.createElement("div");
  el.className = "ddpm-mount";
  render({ model, el });
  host.querySelector(":scope > .ddpm-mount")?.remove();
  host.querySelector(":scope > .ddpm-fallback").style.display = "none";
  host.append(el);
}

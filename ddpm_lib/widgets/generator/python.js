// The Python that draws the picture of the page: the same noise from the same seed, the same network (generator.py, `draw`).
function inPython({ model, say }) {
  const [code, words] = [h("code"), "Copy the Python"];
  const select = () => (getSelection().selectAllChildren(code), document.execCommand("copy"));
  const copy = button(words, async () => {
    // Some frames may not write to the clipboard, and may copy what is selected.
    const done = await navigator.clipboard?.writeText(code.textContent).then(() => true, select) ?? select();
    say(done ? "copied" : "selected: copy it with the keyboard");
    copy.textContent = done ? "Copied" : "Selected";
    setTimeout(() => (copy.textContent = words), 2000);
  }, "ddpm-small");
  const node = h("div", { class: "ddpm-python" }, h("p", {}, "The same seed draws the same picture in Python, on any device:"), h("pre", {}, code), copy);
  const show = () => {
    const options = Object.entries(traits(model, "digit", "sampler", "steps", "eta", "w", "seed", "n"));
    const passed = options.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
    code.textContent = `from ddpm_lib.widgets import GenerateWidget\nGenerateWidget(${model.get("python")}${passed}).draw()`;
    node.hidden = model.get("mode") !== "noise";
  };
  return { node, show };
}

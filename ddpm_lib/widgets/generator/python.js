// The Python that draws the picture of the page: the same noise from the same seed, the same network (generator.py, `draw`).
function inPython({ model, say }) {
  const { node, show: lines } = pythonToCopy("The same seed draws the same picture in Python, on any device:", say);
  const show = () => {
    const options = Object.entries(traits(model, "digit", "sampler", "steps", "eta", "w", "seed", "n"));
    const passed = options.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
    const named = model.get("python");
    lines(`${named.startsWith("load") ? "from ddpm_lib import load\n" : ""}from ddpm_lib.widgets import GenerateWidget\nGenerateWidget(${named}${passed}).draw()`);
    node.hidden = model.get("mode") !== "noise";
  };
  return { node, show };
}

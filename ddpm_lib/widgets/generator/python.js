// The Python that draws the picture of the page: the same noise from the same seed, the same network (generator.py, `draw`).
function inPython({ model, say }) {
  const { node, show: lines } = pythonToCopy("The same seed draws the same picture in Python, on any device:", say);
  const show = () => {
    const options = Object.entries(traits(model, "digit", "sampler", "steps", "eta", "w", "seed", "n"));
    const passed = options.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
    lines(`from ddpm_lib.widgets import GenerateWidget\nGenerateWidget(${model.get("python")}${passed}).draw()`);
    node.hidden = model.get("mode") !== "noise";
  };
  return { node, show };
}

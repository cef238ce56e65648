// A seed: the field that holds it, and a button that draws a new one. show() after it changed.
function seedControls({ model, put }) {
  const number = h("input", {
    type: "number", min: 0, max: 2 ** 31 - 1, step: 1, "aria-label": "seed",
    onchange: () => (number.value !== "" && number.validity.valid ? put({ seed: number.valueAsNumber }) : show()),
  });
  const dots = h("path", { d: "M1 1h12v12h-12zM4 4h.01M10 4h.01M7 7h.01M4 10h.01M10 10h.01" });
  const dice = h(
    "button", { type: "button", class: "ddpm-button ddpm-dice", onclick: () => put({ seed: Math.floor(Math.random() * 10000) }) },
    h("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, dots), "New seed",
  );
  const show = () => (number.value = model.get("seed"));
  return { number, dice, show };
}

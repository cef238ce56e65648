// A slider with its name before it and its value after it. It runs over `range`, [least, most, step], or over the places
// of `stops`, values in order; a value of Python's between two stops stands at the nearer, measured by `scale`.
// show(value, words, ...face): `words` are said, `face` is seen.
function dial({ label, face, range, stops, scale = (x) => x, pick }) {
  const [min, max, step] = range ?? [0, stops.length - 1, 1];
  const output = h("output", { "aria-hidden": "true" });
  const chosen = (place) => (stops ? stops[place] : Number(place.toFixed(2)));
  const input = h("input", {
    type: "range", min, max, step, "aria-label": label, oninput: () => pick(chosen(input.valueAsNumber)),
  });
  const show = (value, words, ...text) => {
    input.value = stops ? nearest(stops.map(scale), scale(value)) : value;
    input.setAttribute("aria-valuetext", words);
    output.replaceChildren(...text);
  };
  const node = h("label", { class: "ddpm-dial" }, h("span", {}, ...face), h("span", {}, input), output);
  return { node, input, show };
}

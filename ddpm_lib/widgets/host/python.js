// Lines of Python to copy, under a sentence that says what they do. show(text): the lines.
function pythonToCopy(intro, say) {
  const [code, words] = [h("code"), "Copy the Python"];
  const select = () => (getSelection().selectAllChildren(code), document.execCommand("copy"));
  const copy = button(words, async () => {
    // Some frames may not write to the clipboard, and may copy what is selected.
    const done = await navigator.clipboard?.writeText(code.textContent).then(() => true, select) ?? select();
    say(done ? "copied" : "selected: copy it with the keyboard");
    copy.textContent = done ? "Copied" : "Selected";
    setTimeout(() => (copy.textContent = words), 2000);
  }, "ddpm-small");
  const node = h("div", { class: "ddpm-python" }, h("p", {}, intro), h("pre", {}, code), copy);
  return { node, show: (text) => (code.textContent = text) };
}

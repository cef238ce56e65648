// A large file beside the page, asked for once and only when a reader wants it: a script, which a page from the disk may
// load though it may fetch nothing. Its address counts from the book's root, which Sphinx writes into each page.

// The script tells its own element what it holds, by an event of the name `event`; before it, `ddpm-worker` may tell the
// source of a worker. That element keeps what it heard, so that every widget of the page can ask it, until somebody
// forgets it, for it was no good. Resolves with { detail, source, forget }; `broken` and `missing` are what fails says.
function besidePage({ url, event, broken, missing }) {
  const { href } = new URL((document.documentElement.dataset.content_root ?? "") + url, document.baseURI);
  const known = [...document.scripts].find((s) => s.src === href)?.ddpmHeard;
  if (known) return known;
  let [script, source] = [null, ""];
  const forget = () => script.remove();
  const heard = new Promise((resolve, reject) => {
    script = h("script", {
      src: href,
      "onddpm-worker": ({ detail }) => (source = detail),
      [`on${event}`]: ({ detail }) => resolve({ detail, source, forget }),
      onload: () => reject(Error(broken)),
      onerror: () => reject(Error(missing)),
    });
  });
  heard.catch(forget); // so that the next press tries again
  document.head.append(script);
  return (script.ddpmHeard = heard);
}

// What Python sends when asked: the trait `name`, as JSON.
const fromKernel = (model, name, missing) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(Error(missing)), 30000);
    model.on(`change:${name}`, () => {
      clearTimeout(late);
      resolve({ detail: JSON.parse(model.get(name)) });
    });
    model.send({ type: name });
  });

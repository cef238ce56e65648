"""axe-core on a page that is open: WCAG 2.1, A and AA, and axe's best practices.

axe-core comes with the package axe-playwright-python (requirements.txt); no network is asked.
"""

from importlib.resources import files

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# Experimental in axe, and so off unless it is named.
ALSO = {"label-content-name-mismatch": {"enabled": True}}
COLORS = ["color-contrast", "link-in-text-block"]  # what a scheme changes; three quarters of axe's time

RUN = """async ([where, options, skip]) => {
  const context = { include: [document.querySelector(where)], exclude: skip ? [["[data-alike]"]] : [] };
  const { violations } = await axe.run(context, { resultTypes: ["violations"], ...options });
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.html.slice(0, 100)}`));
}"""

# Of the elements with words in the same letters and colors on the same ground, the first three are looked at for their
# contrast: `data-alike` marks the others, unless something that is looked at stands in them.
ALIKE = """() => {
  const grounds = new Map(), count = new Map(), words = [];
  const ground = (e) => {
    if (!e) return "";
    if (!grounds.has(e)) {
      const s = getComputedStyle(e), clear = s.backgroundColor === "rgba(0, 0, 0, 0)" && s.backgroundImage === "none";
      const own = clear && s.opacity === "1" ? "" : `|${s.backgroundColor} ${s.backgroundImage} ${s.opacity}`;
      grounds.set(e, ground(e.parentElement) + own);
    }
    return grounds.get(e);
  };
  document.querySelectorAll("[data-alike]").forEach((e) => e.removeAttribute("data-alike"));
  for (const e of document.body.querySelectorAll("*:not(math *)")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const s = getComputedStyle(e), key = [e.localName, s.color, s.fontSize, s.fontWeight, s.position, ground(e)].join();
    count.set(key, 1 + (count.get(key) ?? 0));
    if (count.get(key) > 3) words.push(e);
    else e.dataset.looked = "";
  }
  for (const e of words) if (!e.querySelector("[data-looked]")) e.dataset.alike = "";
  document.querySelectorAll("[data-looked]").forEach((e) => e.removeAttribute("data-looked"));
}"""

# axe looks at every element, and most of a chapter's are alike: the signs of formulas, and spans of code, of which each
# class stays once; not those that break a long line, which would be wider than its box without them. A table's header
# that is a formula axe takes for empty, although readers are told the formula.
THIN = """() => {
  for (const formula of document.querySelectorAll("th math")) formula.replaceWith(formula.textContent);
  for (const formula of [...document.querySelectorAll("math")].slice(3)) formula.replaceChildren();
  const seen = new Set();
  for (const span of document.querySelectorAll("pre span[class]:not(.long)")) {
    if (seen.has(span.className) && !span.children.length) span.replaceWith(...span.childNodes);
    seen.add(span.className);
  }
}"""


def thin(page: Page) -> None:
    """Take out of a page what is there a thousand times over."""
    page.evaluate(THIN)


def violations(page: Page, where: str = "html", colors: bool = True, others: bool = True) -> list[str]:
    """What axe-core complains of in the first element that `where` selects, one line an element.

    `colors` and `others` choose its rules: those that the color scheme matters to, and all the others.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = []
    if colors:
        page.evaluate(ALIKE)
        found += page.evaluate(RUN, [where, {"runOnly": COLORS}, True])
    if others:
        rules = {**ALSO, **{name: {"enabled": False} for name in COLORS}}
        found += page.evaluate(RUN, [where, {"runOnly": TAGS, "rules": rules}, False])
    return found


def wear(page: Page, scheme: str) -> None:
    """Show the page in a color scheme, as the reader's button does, without loading it again."""
    page.evaluate("(s) => Object.assign(document.documentElement.dataset, { mode: s, theme: s })", scheme)


def accessible_at_every_width(page: Page) -> None:
    """AssertionError unless axe-core is content with a lone widget, and it fits, at both widths in both schemes."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            assert (
                violations(page, ".ddpm-host", others=scheme == "light") == []
            )  # no other rule sees the scheme

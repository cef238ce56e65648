"""What a browser would break apart at the end of a line stays together (test_page_look.py uses `BROKEN`)."""

import pytest

from tools.page_text import keep_together

FORMULA = '<span class="math notranslate nohighlight"><math alttext="x"><mi>x</mi></math></span>'
PAGES = {
    f"to {FORMULA}, and ({FORMULA}).": (
        f'to <span class="kept">{FORMULA},</span> and <span class="kept">({FORMULA}).</span>'
    ),
    f"{FORMULA} and {FORMULA}": f"{FORMULA} and {FORMULA}",
    "<p>within 3 % of</p>": "<p>within 3\u00a0% of</p>",
    "<small>x_t at t, L_simple; q_step, a.x_t</small>": (
        "<small><i>x</i><sub>t</sub> at t, <i>L</i><sub>simple</sub>; q_step, a.x_t</small>"
    ),
    '<img alt="x_t"><code>x_t</code>': '<img alt="x_t"><code>x_t</code>',
    "<code>7 % 3</code><pre>7 % 3</pre>": "<code>7 % 3</code><pre>7 % 3</pre>",
    '<code><span class="pre">--flip</span> <span class="pre">-</span></code>': (
        '<code><span class="pre option">--flip</span> <span class="pre">-</span></code>'
    ),
    '<td><code><span class="pre">a_b.q_sample</span></code></td>': (
        '<td><code><span class="pre">a_<wbr>b<wbr>.q_<wbr>sample</span></code></td>'
    ),
    '<p><code><span class="pre">a_b</span></code></p>': '<p><code><span class="pre">a_b</span></code></p>',
    '<script>a = "<td>x</td>, 3 % of";</script>': '<script>a = "<td>x</td>, 3 % of";</script>',
}


@pytest.mark.parametrize("before", PAGES)
def test_it_is_kept_together_once(before: str) -> None:
    assert keep_together(before) == PAGES[before]
    assert keep_together(PAGES[before]) == PAGES[before]


# A full stop on another line than its formula; a name in a table, or an option, that breaks where it should not.
BROKEN = """() => {
  const box = (node, i) => {
    const range = document.createRange();
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    return range.getBoundingClientRect();
  };
  const broken = [];
  for (const formula of document.querySelectorAll("article span.math")) {
    const next = formula.nextSibling;
    if (next?.nodeType !== 3 || !/^[.,;:!?)]/.test(next.data) || !formula.getClientRects().length) continue;
    if (box(next, 0).left < formula.getBoundingClientRect().right - 2) broken.push(formula.parentElement.textContent);
  }
  for (const word of document.querySelectorAll("article td code .pre, article code .pre")) {
    if (!word.closest("td") && !/^--?[a-z]/.test(word.textContent)) continue;
    for (const node of word.childNodes)
      for (let i = 1; i < (node.data ?? "").length; i++)
        if (box(node, i).top > box(node, i - 1).bottom - 2 && !/[-/]/.test(word.closest("td") ? node.data[i - 1] : ""))
          broken.push(word.textContent);
  }
  return broken.map((text) => text.slice(0, 60));
}"""

"""What a reader does on a page: copies, searches, follows the contents; and the letters' size and font."""

import pytest
from playwright.sync_api import Browser, expect

from tools.serve import HTML

pytestmark = pytest.mark.pages

SCHEMES = ("light", "dark")


def test_formulas_need_no_script_and_have_the_book_s_font(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((HTML / "book" / "posterior.html").as_uri())
    assert page.locator(".math").count() == page.locator(".math math").count() > 200
    formula = page.locator("div.math math").first.bounding_box()
    assert formula is not None
    assert formula["width"] > 100
    context.close()
    page = browser.new_page()
    page.goto((HTML / "book" / "posterior.html").as_uri())
    page.evaluate("() => document.fonts.ready")
    fonts = "() => [...document.fonts].filter((f) => f.family.includes('STIX Two Math')).map((f) => f.status)"
    assert page.evaluate(fonts) == ["loaded"]
    page.close()


OPEN = "() => document.querySelectorAll('details').forEach((fold) => (fold.open = true))"


def test_a_broken_line_is_copied_whole(browser: Browser) -> None:
    """Both by hand and by the button, which reads the text of a copy that is not shown."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HTML / "book" / "few_steps.html").as_uri())
    page.evaluate(OPEN)
    selected, copied, text, broken = page.evaluate("""() => {
      const code = [...document.querySelectorAll("article pre")].find((p) => p.querySelector(".long"));
      getSelection().selectAllChildren(code);
      const twice = (e) => e.offsetHeight > 1.5 * parseFloat(getComputedStyle(e).lineHeight);
      return [getSelection().toString(), code.cloneNode(true).innerText, code.textContent,
        [...document.querySelectorAll(".long")].filter(twice).length];
    }""")
    assert selected.strip() == copied.strip() == text.strip()
    assert broken > 3
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_text_has_the_size_that_the_style_asks_for(browser: Browser, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto((HTML / "book" / "forward.html").as_uri())
    assert page.evaluate("() => getComputedStyle(document.body).fontSize") == "17px"
    page.close()


def test_every_formula_stands_on_the_page_of_equations(browser: Browser) -> None:
    page = browser.new_page()
    page.goto((HTML / "book" / "equations.html").as_uri())
    assert page.locator("div.equation").count() > 50
    assert page.locator("div.equation").count() == page.locator("div.equation math[display=block]").count()
    page.close()


def test_the_page_of_equations_fits_a_phone(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto((HTML / "book" / "equations.html").as_uri())
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    page.close()


@pytest.mark.parametrize("query", ["Frechet", "Fréchet", "posterior"])
def test_search_finds_words_with_and_without_accents_and_fetches_nothing(
    browser: Browser, query: str
) -> None:
    page = browser.new_page()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(f"{(HTML / 'search.html').as_uri()}?q={query}")
    page.wait_for_selector("#search-results ul.search li")
    assert failed == []
    page.close()


def test_the_contents_mark_the_section_that_is_being_read(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.goto((HTML / "book" / "loss.html").as_uri())
    current = page.locator("#contents-of-this-page a[aria-current]")
    sections = page.locator("article section section").evaluate_all("(all) => all.map((s) => s.id)")
    assert len(sections) > 8
    for name in (*sections[:6], *sections[4::-1]):  # down and up again, to the end of each section
        page.evaluate(
            "(id) => scrollTo(0, scrollY + document.getElementById(id).getBoundingClientRect().bottom - 350)",
            name,
        )
        expect(current).to_have_attribute("href", f"#{name}")
    last = page.locator("#contents-of-this-page a:visible").last.get_attribute("href")
    page.locator(f"#contents-of-this-page a[href='{last}']").click()  # its heading cannot come to the top
    expect(current).to_have_attribute("href", str(last))
    page.close()

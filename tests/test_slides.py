"""What of a page goes on slides, what into the notes, and that a slide which does not fit is found."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

from tools.slides.deck import deck
from tools.slides.look import faults
from tools.slides.topics import Topic, topics

PAGE = """<html><body><article><section id="chapter"><h1>1. Chapter</h1><p>It begins. And goes on.</p>
<ul><li>do one thing</li></ul>
<section id="part"><h2>1.1. A part<a class="headerlink" href="#part">#</a></h2>
<p>Prose of a part, see <a href="other.html#x">x</a>.</p>
<p>Long before. From this follows:</p>
<div class="math" id="equation-eq-one"><span class="eqno">(1.1)</span>
<div class="display"><math><mi>x</mi></math></div></div>
<p>More prose on <a href="#equation-eq-one">(1.1)</a>.</p>
<blockquote><p><strong>Predict.</strong> What comes?</p></blockquote>
<div class="cell tag_hide-input"><details class="hide above-input"><summary>Code: it</summary>
<div class="cell_input"><pre>def folded(): pass</pre></div></details>
<div class="cell_output"><div class="pst-scrollable-table-container">
<table><tbody>{rows}</tbody></table></div></div></div>
<div class="cell"><div class="cell_input"><pre>def shown(): pass</pre></div></div>
<details><summary>Proof</summary><p>PROVEN</p></details></section>
<section id="thin"><h2>1.2. Thin</h2><p>Nothing to see.</p></section>
<section id="exercises"><h2>1.3. Exercises</h2><section id="one"><h3>1. Implement: it</h3><p>Write it.</p>
<details><summary>Hint</summary><p>HINT</p></details>
<div class="cell tag_remove-output"><div class="cell_input"><pre>def attempt(): ...</pre></div></div>
<div class="cell tag_hide-cell"><div class="cell_input"><pre>def solved(): return 1</pre></div></div>
</section></section></section></article></body></html>"""
ROW = "<tr><td>a row</td></tr>"


@pytest.fixture
def found() -> list[Topic]:
    text = BeautifulSoup(PAGE.format(rows=ROW), "html.parser").select_one("article > section")
    assert isinstance(text, Tag)
    return topics(text)


def test_what_a_class_looks_at_stands_on_the_slides_and_prose_in_the_notes(found: list[Topic]) -> None:
    part = found[1]
    assert part.lead.startswith("Prose of a part")
    shown = [(kind, BeautifulSoup(html, "html.parser").get_text(" ").split()) for kind, html in part.rows]
    assert [kind for kind, _ in shown if kind != "note"] == [
        "leading",
        "equation",
        "predict",
        "table",
        "code",
    ]
    assert ("leading", ["From", "this", "follows:"]) in shown
    notes = " ".join(html for kind, html in part.rows if kind == "note")
    assert "PROVEN" in notes
    assert "Nothing to see." in notes  # a section that shows nothing joins the one before
    assert "folded" not in "".join(html for _, html in part.rows)


def test_an_exercise_is_asked_and_not_solved(found: list[Topic]) -> None:
    exercise = found[-1]
    assert exercise.rows == [("text", "<p>Write it.</p>")]


def written(folder: Path, rows: str) -> Path:
    (folder / "slides").mkdir()
    page = folder / "first.html"
    page.write_text(PAGE.format(rows=rows), "utf-8")
    style = (Path(__file__).resolve().parent.parent / "tools" / "slides" / "deck.css").read_text("utf-8")
    target = folder / "slides" / "first.html"
    target.write_text(
        deck(page, "A book", style)[0].replace('href="../_static/logo.svg"', 'href="data:,"'), "utf-8"
    )
    return target


def test_a_predict_box_ends_its_slide_and_links_lead_to_the_book(tmp_path: Path, browser: Browser) -> None:
    target = written(tmp_path, ROW)
    count, wrong = faults(browser, target)
    assert (count, wrong) == (4, [])
    page = browser.new_page()
    page.goto(target.as_uri())
    page.wait_for_selector("html[data-ready]")
    slides = page.locator(".slide")
    assert slides.nth(1).locator(".block").last.inner_text() == "Predict. What comes?"
    assert "a row" in slides.nth(2).inner_text()
    links = slides.nth(1).locator(".notes a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert links == ["../book/other.html#x", "#equation-eq-one"]
    page.close()


def test_a_menu_leads_to_a_section(tmp_path: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(written(tmp_path, ROW).as_uri())
    page.wait_for_selector("html[data-ready]")
    menu, said = page.get_by_label("Section"), page.locator(".bar output")
    names = menu.locator("option").all_inner_texts()
    assert len(names) == page.locator(".slide[id]").count() == 3
    menu.select_option(index=2)
    last = page.locator(".slide[id]").last.get_attribute("aria-label")
    assert last is not None
    assert said.inner_text() == f"{last.removeprefix('Slide ')} / 4"
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    assert menu.input_value() == page.locator(".slide[id]").nth(1).get_attribute("id")
    page.close()


def test_a_long_table_goes_on_and_what_cannot_fit_is_found(tmp_path: Path, browser: Browser) -> None:
    assert faults(browser, written(tmp_path, ROW * 40)) == (7, [])
    (tmp_path / "wide").mkdir()
    wide = f"<tr><td>{'never' * 60}</td></tr>"
    _, wrong = faults(browser, written(tmp_path / "wide", wide))
    assert any("1.1. A part" in each for each in wrong)

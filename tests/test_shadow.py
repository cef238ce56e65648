"""What Jupyter Book 2 is given: every page that is a file, in the order and the parts of the table of contents."""

from pathlib import Path

import yaml

from tools.equations import ROOT
from tools.forms.chapters import order
from tools.shadow import page_file, settings, write_shadow


def test_every_page_stands_in_its_part() -> None:
    said = settings(ROOT)["project"]
    first, *parts = said["toc"]
    assert first == {"file": "book/intro.ipynb"}
    listed = [(each["file"], part["title"]) for part in parts for each in part["children"]]
    expected = [(page_file(ROOT, name), part) for name, part in order(ROOT / "_toc.yml") if part is not None]
    assert listed == [(file, part) for file, part in expected if file is not None]
    assert len(listed) > 20
    assert all((ROOT / file).is_file() for file in said["bibliography"])


def test_it_shows_what_the_last_run_gave(tmp_path: Path) -> None:
    for name, text in (("book/one.ipynb", "plain"), ("_build/executed/book/one.ipynb", "executed")):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (tmp_path / "_toc.yml").write_text("root: book/one\nparts: []\n")
    (tmp_path / "_config.yml").write_text("title: A title\nbibtex_bibfiles: []\n")
    target = write_shadow(tmp_path, tmp_path / "shadow")
    assert (target.parent / "book" / "one.ipynb").read_text() == "executed"
    assert yaml.safe_load(target.read_text())["project"]["title"] == "A title"

"""The paper about the course cites what the bibliography holds, and is of the length that the journal asks for."""

import re

import yaml

from tools.equations import ROOT
from tools.plain.citations import papers

TEXT = (ROOT / "paper.md").read_text(encoding="utf-8")


def test_what_it_cites_is_in_the_bibliography() -> None:
    cited = set(re.findall(r"@([\w]+)", TEXT))
    assert cited
    assert cited <= set(papers(ROOT / "book" / "references.bib"))


def test_its_head_says_who_and_what() -> None:
    head = yaml.safe_load(TEXT.split("---")[1])
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert head["title"] == citation["title"]
    assert [each["name"] for each in head["authors"]] == [each["name"] for each in citation["authors"]]
    assert (ROOT / head["bibliography"]).is_file()
    assert 500 < len(TEXT.split("---", 2)[2].split()) < 1500


def test_it_says_what_is_not_known() -> None:
    assert "# Statement of need" in TEXT
    assert re.search(r"# Evidence from classrooms\n\nNone has been gathered yet\.", TEXT)

"""MyST in plain Markdown: numbers for equations, links for citations, quotes and folds for boxes.

What has no rule here is refused, so that no copy shows it raw.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.plain.places import Course

OPENING = re.compile(r"^ *(`{3,}|~{3,}|:{3,}) *(?:\{([\w:-]+)\})? *(.*)$")
OPTION = re.compile(r"^:([\w-]+): *(.*)$")
TOKEN = re.compile(
    r"""\{(?P<role>[\w:+-]+)\}`(?P<body>[^`]+)`
    | (?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
    | \$\$(?P<tex>.+?)(?P<end>\s*)\$\$(?P<label>[ \t]*\([\w-]+\))?
    | (?P<math>(?<!\\)\$(?:\\.|[^$\\])+?\$)
    | (?P<image>!?)\[(?P<text>(?:[^\[\]`$]|`[^`]*`|\$[^$]*\$)*)\]\((?P<target>[^()\s]+)\)
    | ^\((?P<name>[\w-]+)\)=[ ]*$""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
BOXES = {
    "admonition",
    "attention",
    "caution",
    "danger",
    "dropdown",
    "hint",
    "important",
    "note",
    "seealso",
    "tip",
}
BOXES |= {"warning"}


class Untranslatable(ValueError):
    """MyST that means nothing outside the book, or a link that leads nowhere."""


@dataclass(frozen=True)
class Translator:
    """What turns the text of one chapter into plain Markdown."""

    course: Course
    chapter: str  # as _toc.yml names it

    def text(self, markdown: str) -> str:
        """A cell's text."""
        return "\n".join(self._blocks(markdown.split("\n")))

    def _blocks(self, lines: list[str]) -> list[str]:
        done: list[str] = []
        prose: list[str] = []
        i = 0
        while i < len(lines):
            opening = OPENING.match(lines[i])
            if opening is None:
                prose.append(lines[i])
                i += 1
                continue
            done += self._prose(prose)
            prose = []
            fence, name, title = opening.groups()
            end = next(
                (
                    j
                    for j in range(i + 1, len(lines))
                    if re.fullmatch(rf" *{fence[0]}{{{len(fence)},}} *", lines[j])
                ),
                len(lines),
            )
            done += self._box(name, title, lines[i + 1 : end]) if name else lines[i : end + 1]
            if fence[0] == ":" and not name:
                raise self._refusal(lines[i])
            i = end + 1
        return done + self._prose(prose)

    def _prose(self, lines: list[str]) -> list[str]:
        return self._inline("\n".join(lines)).split("\n") if lines else []

    def _inline(self, text: str) -> str:
        return TOKEN.sub(self._token, text)

    def _token(self, found: re.Match[str]) -> str:
        if found["role"]:
            return self._role(found["role"], found["body"])
        if found["tex"]:
            number = f" \\tag{{{self._number(found['label'].strip(' ()'))}}}" if found["label"] else ""
            return f"$${found['tex']}{number}{found['end']}$$"
        if found["target"]:
            return self._link(found["image"], found["text"], found["target"])
        if found["name"]:
            raise self._refusal(found[0])
        return found[0]

    def _role(self, role: str, body: str) -> str:
        if role == "eq":
            number, url = f"({self._number(body)})", self.course.equation(body, self.chapter)
            return f"[{number}]({url})" if url else number
        if role in ("cite:p", "cite:t", "cite"):
            cited = "; ".join(self._paper(key.strip()) for key in body.split(","))
            return cited if role == "cite:t" else f"[{cited}]"
        raise self._refusal(f"{{{role}}}`{body}`")

    def _number(self, label: str) -> str:
        if label not in self.course.numbers:
            raise self._refusal(label)
        return self.course.numbers[label]

    def _paper(self, key: str) -> str:
        if key not in self.course.papers:
            raise self._refusal(key)
        paper = self.course.papers[key]
        url = paper.url or self.course.page("book/references")
        return f"[{paper.name}]({url})" if url else paper.name

    def _link(self, image: str, text: str, target: str) -> str:
        place, _, anchor = target.partition("#")
        path = (PurePosixPath(self.chapter).parent / place).as_posix()
        if ":" in place:
            return f"{image}[{text}]({target})"
        if image:
            kind, data = mimetypes.guess_type(path)[0], (self.course.root / path).read_bytes()
            return f"![{text}](data:{kind};base64,{base64.b64encode(data).decode()})"
        text = self._inline(text)
        if place.endswith(".md"):
            url = self.course.page(path.removesuffix(".md"))
            return f"[{text}]({url})" if url else text
        chapter = path.removesuffix(".ipynb") if place else self.chapter
        try:
            return f"[{text}]({self.course.heading(chapter, anchor, self.chapter)})"
        except KeyError:
            raise self._refusal(target) from None

    def _box(self, name: str, title: str, body: list[str]) -> list[str]:
        """A box becomes a quote under its title; one that folds, a fold."""
        if name not in BOXES:
            raise self._refusal(f"{{{name}}}")
        options = {}
        while body and (option := OPTION.match(body[0])):
            options[option[1]] = option[2]
            body = body[1:]
        inner = "\n".join(self._blocks(body)).strip("\n")
        title = self._inline(title) or name.capitalize()
        if name == "dropdown" or "dropdown" in options.get("class", ""):
            return [f"<details><summary>{title}</summary>", "", *inner.split("\n"), "", "</details>"]
        # A quote's mark must not stand within a formula.
        inner = re.sub(r"\$\$.+?\$\$", lambda found: " ".join(found[0].split()), inner, flags=re.DOTALL)
        return [f"> **{title}**", ">", *(f"> {line}".rstrip() for line in inner.split("\n"))]

    def _refusal(self, what: str) -> Untranslatable:
        return Untranslatable(
            f"{self.chapter}.ipynb: `{what}` has no plain form: correct it, write it in Markdown, or give it a rule "
            "in tools/plain/markdown.py."
        )

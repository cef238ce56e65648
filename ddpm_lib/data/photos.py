"""A folder of one's own images: which there are, what is left out, and why."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from ddpm_lib import class_names, shown
from ddpm_lib.data.errors import DataError, counted, some
from ddpm_lib.data.pixels import SUFFIXES

# Folders and files that systems leave behind, in lower case; a name that begins with a dot is one of them too.
SYSTEM = {
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "__macosx", "lost+found"),
    *("$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
}
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}  # in lower case
HIDDEN, OTHER, AGAIN, CLOSED = "hidden", "of another kind", "seen already under another name", "unreadable"
Item = TypeVar("Item")


@dataclass(frozen=True)
class Photos:
    """The image files of a folder, sorted, and the classes: its subfolders that hold any.

    There are no classes where an image lies in the folder itself.
    """

    root: Path
    files: tuple[str, ...]  # relative to the folder
    left_out: dict[str, list[str]] = field(default_factory=dict)  # why -> which

    @property
    def classes(self) -> tuple[str, ...]:
        """The first folder on the way to each file, each once."""
        labelled = all(os.sep in file for file in self.files)
        return tuple(sorted({_class(file) for file in self.files})) if labelled else ()

    def labels(self) -> list[int] | None:
        """The class of each file, as its number."""
        number = {name: i for i, name in enumerate(self.classes)}
        return [number[_class(file)] for file in self.files] if number else None

    def without(self, bad: Container[str]) -> Photos:
        """The same without the files of those names."""
        left_out = [file for file in self.files if file in bad]
        files = tuple(file for file in self.files if file not in bad)
        return Photos(
            self.root, files, {**self.left_out, CLOSED: [*self.left_out.get(CLOSED, []), *left_out]}
        )

    def __str__(self) -> str:
        """One line: how many images, which classes, what was left out and why."""
        classes, loose = self.classes, [file for file in self.files if os.sep not in file]
        text = f"{shown(self.root)}: {counted(len(self.files), 'image')}, "
        if classes:
            text += f"{counted(len(classes), 'class', 'classes')} ({some(classes)})"
        else:
            text += "no classes"
        if len(self.files) > len(loose) > 0:
            text += (
                f" (there are folders, but {some(loose, 2)} beside them: move that into a folder for classes)"
            )
        if SPLITS.issuperset(name.lower() for name in classes) and classes:
            text += f" (if these are parts of one data set, and no classes, name one: {shown(self.root / classes[-1])})"
        reasons = [
            f"{len(names):,} {why} ({some(names, 3)})" for why, names in self.left_out.items() if names
        ]
        return f"{text}; left out: {', '.join(reasons)}" if reasons else text


def find_photos(root: Path, skip_bad: bool = False) -> Photos:
    """The images below `root`. Linked folders are followed, each once; hidden and system ones are not.

    Raises DataError for a folder without images, or with one that cannot be looked into, unless `skip_bad`.
    """
    if not root.is_dir():
        raise DataError(
            f"{shown(root)} is not a folder: pass 'mnist', 'fashion-mnist' or a folder of images."
        )
    files, left_out = list[str](), dict[str, list[str]]()
    for path, why in watched(walk(root), "looking", "file"):
        if why:
            left_out.setdefault(why, []).append(path)
        else:
            files.append(path)
    if (closed := left_out.get(CLOSED)) and (not skip_bad or closed == ["."]):
        raise DataError(
            f"{shown(root)} cannot be read here: {some(closed)}. Change the permissions, or move it away."
        )
    if not files:
        reasons = "; ".join(f"{why}: {some(names)}" for why, names in left_out.items())
        raise DataError(
            f"{shown(root)} holds no images{f' ({reasons})' if reasons else ''}: put "
            f"{', '.join(sorted(SUFFIXES))} files there."
        )
    named = {_class(file) for file in files}.union(*left_out.values())
    if empty := sorted(entry.name for entry in os.scandir(root) if entry.name not in named):
        left_out["without an image"] = empty
    photos = Photos(root, tuple(sorted(files, key=lambda file: file.split(os.sep))), left_out)
    names = class_names(photos.classes)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{shown(root)} has two folders for the class {some(twice)}: rename or join them.")
    return photos


def walk(root: Path) -> Iterator[tuple[str, str]]:
    """(path relative to root, "" or why it is left out) of all files below it."""
    seen, folders, linked = set[tuple[int, int]](), [str(root)], list[str]()
    while folders or linked:
        folder = folders.pop() if folders else linked.pop(0)  # links last: a folder comes before a link to it
        name = os.path.relpath(folder, root)
        try:
            status, entries = os.stat(folder), sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            yield name, CLOSED
            continue
        if (status.st_dev, status.st_ino) in seen:
            yield name, AGAIN
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            path = os.path.normpath(os.path.join(name, entry.name))
            if hidden(entry.name):
                yield path, HIDDEN
            elif os.path.isdir(entry.path):
                (linked if entry.is_symlink() else folders).append(entry.path)
            else:
                yield path, "" if _is_image(entry) else OTHER


def hidden(name: str) -> bool:
    """Whether a file or folder of that name is hidden, or the system's own."""
    return name.startswith(".") or name.lower() in SYSTEM


def watched(items: Iterable[Item], what: str, unit: str) -> Iterable[Item]:
    """The items, with a progress bar from the second second on."""
    return tqdm(items, desc=what, unit=f" {unit}s", delay=1, leave=False)


def _is_image(entry: os.DirEntry[str]) -> bool:
    """By its name; no pipe or socket, whose end nobody sees. A link to nothing is one that cannot be read."""
    named = os.path.splitext(entry.name)[1].lower() in SUFFIXES
    return named and (os.path.isfile(entry.path) or not os.path.exists(entry.path))


def _class(file: str) -> str:
    return file.split(os.sep)[0]

"""Classes are compared by name: the number of a label means nothing outside its own network."""

from __future__ import annotations

from ddpm_lib import class_names
from ddpm_lib.cli.common import UsageError
from ddpm_lib.data.errors import some
from ddpm_lib.models import classes_of
from ddpm_lib.models.trained import Trained


def check_classes(known: tuple[str, ...], found: tuple[str, ...], data: str, who: str) -> None:
    """Raise UsageError where data have other classes, or another order of them: a label would mean another thing."""
    if found == known:
        return
    new, gone = [name for name in found if name not in known], [name for name in known if name not in found]
    listed = [f"{what} {some(names)}" for what, names in (("new:", new), ("missing:", gone)) if names]
    raise UsageError(
        f"{data} has the classes {some(found) or 'none'}, and {who} knows {some(known) or 'none'} "
        f"({'; '.join(listed) or 'in another order'}): pass --data with the classes that it was trained on."
    )


def check_labels(trained: Trained, found: tuple[str, ...], data: str) -> None:
    """Raise UsageError where a network knows other classes than these data have; say so where they have none."""
    known, classes = trained.about.classes, classes_of(trained.model_config)
    if classes and not found:
        print(f"{data} has no classes: the network is asked for no class.")
    if classes and found and (known or len(found) != classes):
        check_classes(known, found, data, "the network")


def label_of(trained: Trained, name: str | None) -> int | None:
    """The number of the class of that name, or of that number where no class has a number for its name."""
    if name is None:
        return None
    names, classes = trained.about.classes, classes_of(trained.model_config)
    (name,) = class_names([name])
    if classes and name in names:
        return names.index(name)
    # Of classes "1" ... "9", number 0 would be the one that is called 1.
    numbered = classes > 0 and not any(each.isdecimal() for each in names)
    if numbered and name.isascii() and name.isdecimal() and int(name[:9]) < classes and len(name) < 10:
        return int(name)
    if not classes:
        raise UsageError(f"There is no class {name}: this network knows no classes, so leave out --class.")
    known = ([f"0 to {classes - 1}"] if numbered else []) + ([some(names)] if names else [])
    raise UsageError(f"There is no class {name}; the classes are {', or '.join(known)}.")

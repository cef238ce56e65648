"""A table of measurements that is written after every row, so that an interrupted run loses one row at most."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def fill(
    out: Path, head: Row, keys: Iterable[Row], measure: Callable[[Row], Row], resume: bool = False
) -> Row:
    """Measure every key and write `out` after each; returns the whole table. A row is its key and its figures.

    With `resume` the rows that `out` has already stay, unless they were measured under another head.
    """
    result: Row = {**head, "rows": []}
    if resume and out.is_file():
        before = json.loads(out.read_text(encoding="utf-8"))
        if {**before, "rows": []} == result:
            result["rows"] = before["rows"]
    for key in keys:
        if any(key.items() <= row.items() for row in result["rows"]):
            continue
        result["rows"].append({**key, **measure(key)})
        write(out, result)
        print(result["rows"][-1], flush=True)
    return result


def write(out: Path, result: Row) -> None:
    """As JSON, a line a row: a reader compares rows, and a diff shows which changed."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in result["rows"])
    head = json.dumps({**result, "rows": None}, indent=1)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(head.replace('"rows": null', f'"rows": [\n{rows}\n ]') + "\n", encoding="utf-8")


def compact(value: object, indent: int = 0) -> str:
    """As JSON, what holds nothing but figures and words on one line: ten counts are a line, and not ten."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if not any(isinstance(each, dict | list) for each in inside):
        return json.dumps(value)
    blank = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {compact(each, indent + 1)}" for name, each in value.items()]
        return "{" + blank + f",{blank}".join(parts) + "\n" + " " * indent + "}"
    assert isinstance(value, list)
    parts = [compact(each, indent + 1) for each in value]
    return "[" + blank + f",{blank}".join(parts) + "\n" + " " * indent + "]"

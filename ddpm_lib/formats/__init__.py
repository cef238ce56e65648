"""Trained networks for other libraries: one ONNX file, or a folder that diffusers' pipelines load.

Those libraries are imported when a file is written, and never before: ddpm_lib works without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ddpm_lib import CourseError


class FormatError(CourseError):
    """A network that cannot be written in a format, or a file that does not compute what it should."""


def need(package: str, purpose: str) -> Any:
    """The package, imported; FormatError says what to install where it is missing."""
    try:
        return import_module(package)
    except ImportError as error:
        raise FormatError(
            f"{purpose} needs the package {package}, which cannot be imported here ({error}): "
            f"pip install {package}."
        ) from error

"""Images saved to a folder, for the tests of the data."""

from __future__ import annotations

import numpy as np
from PIL import Image


def save(path, array, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8), mode).save(path)


def flat(height, width, *color):
    return np.broadcast_to(np.array(color, np.uint8), (height, width, len(color))).squeeze()

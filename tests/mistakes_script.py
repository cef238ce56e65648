"""What a notebook passes by mistake, and what it is told: run by test_seeds.py without the tests' own type checks."""

# ruff: noqa: F401 (the expressions use them)
import json
import math
from dataclasses import replace

import numpy as np
import torch

from ddpm_lib import load
from ddpm_lib.data import Batches, ImageData, image_folder, load_data
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate, save_grid, with_guidance
from ddpm_lib.guidance import ClassifierGuided, Guided
from ddpm_lib.models import UNet
from ddpm_lib.sampling import DDIM, Noise, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import Machine, TrainConfig
from ddpm_lib.widgets import GenerateWidget, PosteriorWidget, ScheduleWidget
from tests.tiny import TINY

NAN, INF = math.nan, math.inf
D = GaussianDiffusion(cosine_schedule(10))
NET = UNet(replace(TINY.model, channels=1)).eval()  # type: ignore[arg-type]
ZERO = torch.zeros(1, 1, 4, 4)
BYTES = torch.zeros(6, 1, 4, 4, dtype=torch.uint8)
IMAGES = ImageData(BYTES, torch.arange(6), "made")


def draw(shape=(1, 4, 4), seeds=(0,), **options):  # type: ignore[no-untyped-def]
    """Two steps from each seed."""
    return torch.cat([*generate(NET, D, shape, seeds, steps=2, **options)])


# What is wrong -> a part of what is said.
WRONG = {
    **{f"Noise({seeds}, (2,))": "more than 64 bits" for seeds in ("[2**64]", "[-2**63 - 1]", "[10**400]")},
    **{
        f"Noise({seeds}, (2,))": "a list or range of whole numbers"
        for seeds in ("[1.5]", "np.array([1.5])", "'12'", "5", "[None]")
    },
    "Noise([], (2,))": "There are no seeds",
    **{f"Noise([0], {shape})": "The shape is" for shape in ("(1, -8, 8)", "(1, 0)", "(1, 8.0)", "'ab'", "5")},
    "draw(batch=0)": "A batch holds 1 image or more",
    "draw(batch=-3)": "A batch holds 1 image or more",
    "draw(seeds=[0, 1], y=torch.tensor([1, 0, 2]), batch=1)": "3 labels for 2 seeds",
    "draw(seeds=[0, 1], y=torch.tensor([1]), batch=1)": "1 labels for 2 seeds",
    "draw(y=torch.tensor([1.0]))": "labels are torch.float32",
    "draw(y=torch.tensor([11]))": "There is no class 11",
    "draw(seeds=[2**70])": "more than 64 bits",
    "Guided(NET, NAN, 10)": "weight of guidance is nan",
    "with_guidance(NET, -INF)": "weight of guidance is -inf",
    "ClassifierGuided(NET, D, lambda *_: ZERO, NAN)": "scale of guidance is nan",
    "DDIM(NAN)": "eta is nan",
    "DDIM(-0.1)": "eta is -0.1",
    "DDIM(5.0)": "eta is 5.0",
    "timesteps(10, 2.5)": "2.5 steps: pass a whole number",
    "timesteps(10, '3')": "'3' steps: pass a whole number",
    "cosine_schedule(2.5)": "a whole number of steps",
    "class_labels(-3, 10)": "no -3 images",
    "save_grid('x.png', ZERO[:0])": "no 0 images",
    "save_grid('x.png', ZERO, columns=0)": "in 0 columns",
    "save_grid('x.png', torch.zeros(2, 2, 4, 4))": "of 2 channels",
    "save_grid('x.png', ZERO * NAN)": "hold NaN, which would be drawn black",
    **{
        f"TrainConfig({setting})": f"TrainConfig cannot have {setting.split('=')[0]} = "
        for setting in (
            *("lr=NAN", "lr=-1.0", "steps=0", "steps=2.5", "every=0", "every=-1", "seconds=NAN", "seconds=-1.0"),
            *("ema=1.0", "label_drop=5.0", "label_drop=NAN", "warmup=7.0", "batch=0", "seed=2**64", "seed=1.5"),
            *("clip=-1.0", "decay='x'", "draw_t='x'", "betas=(1.0, 1.0)", "weight_decay=NAN", "flip='yes'"),
        )
    },
    "Machine(precision='float8')": "choose 'float32' or 'bfloat16'",
    "Batches(IMAGES, 2.5)": "whole numbers",
    "Batches(IMAGES, 2, 1.5)": "whole numbers",
    "ImageData(BYTES / 255, None, 'made')": "not bytes: pass to_pixels",
    "ImageData(BYTES, torch.arange(5), 'made')": "5 labels for 6 images",
    "image_folder('x', 2.5)": "2.5 pixels wide",
    "image_folder('x', '8')": "8 pixels wide",
    "load_data('')": "have no name",
    "load('')": "'' is no name",
    "load(None)": "None is no name",
    "load('a\\0b')": "is no name",
    **{f"{call}={value})": name
       for value in ("NAN", "INF")
       for call, name in (("ScheduleWidget(beta_min", "beta_min"), ("PosteriorWidget(x0", "x0"),
                          ("GenerateWidget(w", "w"), ("GenerateWidget(eta", "eta"))},
    "GenerateWidget('cpu-minutes')": "'cpu-minutes' is no network",
}  # fmt: skip
RIGHT = (
    "torch.equal(Noise(np.arange(3, 5), (2,))(), Noise([3, 4], (2,))())",
    "torch.equal(Noise(torch.arange(3, 5), (2,))(), Noise([3, 4], (2,))())",
    "torch.isfinite(draw(seeds=[2**63, -1])).all()",
    "len([*sample_from(NET, D, ZERO, steps=np.int64(3))]) == 4",
    "TrainConfig(lr=np.float32(0.25), steps=np.int64(3)).steps == 3",
    "torch.equal(Batches(IMAGES, 2, np.int64(3))(5)[1], Batches(IMAGES, 2, 3)(5)[1])",
)


def said(expression: str) -> str:
    """What the error of an expression says, or that there was none."""
    try:
        return f"no error, but {eval(expression)!r:.60}"
    except Exception as error:
        return str(error)


if __name__ == "__main__":
    print(json.dumps({**{each: said(each) for each in WRONG}, **{each: bool(eval(each)) for each in RIGHT}}))

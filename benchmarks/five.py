"""The five things to try on the page "Play": what a reader sees, by the engine of the page, in headless Chromium.

    python -m benchmarks.five

Each of three seeds trains the networks that the page asks for, with the page's own settings (256 points a step, AdamW,
the averaged weights), and lets 150 points walk, as its button Walk does: the network's and, from the same noise, the
exact answer's. What is kept of a walk's end: the median distance from the nearest data point, the shares nearer than
0.01 (it is that point) and farther than 0.3 (a stray), the largest distance from the middle, and the mean. Beside
it stand fresh points of the rings, measured in the same way. Written to ddpm_lib/assets/measured/five.json, which the
chapter reads.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from playwright.sync_api import Page, sync_playwright
from torch import Tensor

from benchmarks.machine import machine
from ddpm_lib.data import ASSETS
from ddpm_lib.web.worker_source import LEARN_CORE, without_comments
from ddpm_lib.widgets.play.shapes import rings, seen, sent, shapes
from tests.browser import launch

RESULT = ASSETS / "measured" / "five.json"
SEEDS, LAST = (0, 1, 2), 500
CORNER, RADIUS = (1.6, 1.6), 0.5  # of the drawing
# Trains, walks, and asks for x0_hat: the losses, the ends (network's, exact) of each walk, the guesses at each time.
RUN = """(arg) => {
  %s
  const { recipe, points, steps, walks, asked } = arg, n = 150;
  const learner = new Learner(recipe, Float32Array.from(points)), losses = [];
  const least = leastLoss(learner);
  for (let i = 0; i < steps; i++) losses.push(learner.step());
  const clean = (x, t) => learner.clean(x, t);
  const best = (x, t) => exactClean(learner.points, learner.alphaBar[t], x);
  const ends = walks.map(([kind, steps]) =>
    [clean, best].map((x0) => [...walk(kind, learner.alphaBar, x0, { n, steps, seed: recipe.seed }).frames.at(-1)]));
  const guesses = asked.map(([t, x]) => [...clean(Float32Array.from(x), t)]);
  return { losses, least, ends, guesses, alphaBar: learner.alphaBar[learner.T] };
}"""
Points = Float[Tensor, "n 2"]


def plane(flat: Sequence[float]) -> Points:
    """A list x y x y ... as points."""
    return torch.tensor(flat).reshape(-1, 2)


def data() -> dict[str, Points]:
    """The shapes of the page, and a filled disk that somebody drew in a corner."""
    generator = torch.Generator().manual_seed(0)
    radius, angle = torch.rand(2, 500, 1, generator=generator)
    direction = torch.cat([(2 * math.pi * angle).cos(), (2 * math.pi * angle).sin()], dim=1)
    disk = torch.tensor(CORNER) + RADIUS * radius.sqrt() * direction
    return {name: seen(whole) for name, whole in sent({**shapes(), "corner": disk}).items()}


def end(x: Points, points: Points) -> dict[str, Any]:
    """What is kept of the end of a walk."""
    nearest = torch.cdist(x.double(), points.double()).amin(1)
    return {
        "nearest": float(nearest.median()),
        "on_a_point": float((nearest < 0.01).double().mean()),
        "stray": float((nearest > 0.3).double().mean()),
        "farthest": float(x.norm(dim=1).max()),
        "mean": x.mean(0).tolist(),
    }


def run(
    page: Page, points: Points, steps: int, walks: Sequence[tuple[str, int]], **chosen: Any
) -> dict[str, Any]:
    """One training and its walks; `asked`, a mapping of times to points, asks the network for x0_hat there."""
    asked: Mapping[int, Points] = chosen.pop("asked", {})
    usual = {"schedule": "linear", "T": 100, "predicts": "eps", "width": 32, "lr": 1e-2, "seed": 0}
    arg = {
        "recipe": {**usual, **chosen},
        "points": points.flatten().tolist(),
        "steps": steps,
        "walks": [list(walk) for walk in walks],
        "asked": [[t, x.flatten().tolist()] for t, x in asked.items()],
    }
    found = page.evaluate(RUN % without_comments(*LEARN_CORE), arg)
    losses = found["losses"][-LAST:]
    row: dict[str, Any] = {"loss": sum(losses) / max(1, len(losses)), "least": found["least"]}
    row["alpha_bar_T"] = found["alphaBar"]
    for (kind, count), pair in zip(walks, found["ends"], strict=True):
        for name, flat in zip(("network", "exact"), pair, strict=True):
            row[f"{name}, {kind} {count}"] = end(plane(flat), points)
    row["guesses"] = [plane(flat) for flat in found["guesses"]]
    return row


def five(page: Page, seed: int) -> dict[str, Any]:
    """The five experiments of the page, from one seed."""
    x = data()
    generator = torch.Generator().manual_seed(seed)
    near = {t: torch.randn(500, 2, generator=generator) for t in (100, 10)}
    # at t = 10 of the cosine schedule the points are the data with a little noise
    near[10] = x["moons"] + 0.16 * near[10]
    few = [("ddim", 50), ("ddim", 5), ("ddim", 1)]
    long, all_of_them = [("ddim", 50)], [("ddim", 500)]
    found = {
        "eps": run(page, x["moons"], 3000, few, seed=seed),
        "x0": run(page, x["moons"], 3000, few, seed=seed, predicts="x0"),
        "cosine, eps": run(page, x["moons"], 1500, long, seed=seed, schedule="cosine", asked=near),
        "cosine, x0": run(
            page, x["moons"], 1500, long, seed=seed, schedule="cosine", predicts="x0", asked=near
        ),
        "width 8": run(page, x["moons"], 3000, long, seed=seed, width=8),
        "short, corner": run(page, x["corner"], 3000, long, seed=seed, schedule="short"),
        "linear, corner": run(page, x["corner"], 3000, long, seed=seed),
        "short, moons": run(page, x["moons"], 3000, long, seed=seed, schedule="short"),
        "rings": run(page, x["rings"], 3000, all_of_them, seed=seed, T=500),
    }
    a, b = (found[f"cosine, {name}"]["guesses"] for name in ("eps", "x0"))
    apart = {t: float((p - q).norm(dim=1).median()) for t, p, q in zip(near, a, b, strict=True)}
    found["cosine, apart"] = {str(t): distance for t, distance in apart.items()}
    for row in found.values():
        row.pop("guesses", None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="The five things to try on the page Play.")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        rows = [{"seed": seed, **five(browser.new_page(), seed)} for seed in SEEDS]
        version = browser.version
        browser.close()
    result = {
        "what": "the five experiments of the page Play, by its own engine: losses, and where 150 points end",
        "machine": {**machine(), "browser": f"Chromium {version}"},
        "data_mean": {name: points.mean(0).tolist() for name, points in data().items()},
        "fresh rings": end(rings(2000, seed=1), data()["rings"]),
        "rows": rows,
    }
    rounded = json.loads(json.dumps(result), parse_float=lambda text: float(f"{float(text):.4g}"))
    args.out.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

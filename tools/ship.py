"""Ship a trained network with the package: export its weights, measure them, write their card.

python -m tools.ship runs/cpu-minutes/checkpoint.safetensors cpu-minutes --hardware "two CPU cores"
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from ddpm_lib import load
from ddpm_lib.__main__ import main as ddpm
from ddpm_lib.assets.weights import FOLDER, install
from ddpm_lib.cli.common import clock
from tools.checksums import write_sums

LEFT_OUT = "nowhere: the package would weigh more than 40 MB; `make gpu` trains it anew"


def card(
    weights: Path, name: str, hardware: str, values: dict[str, float], samples: int, stored: bool
) -> str:
    """The model card, in Markdown."""
    trained = load(weights)
    config = ", ".join(f"{key} {value}" for key, value in trained.training.items())
    model = ", ".join(f"{key} {value}" for key, value in asdict(trained.model_config).items())
    rows = "\n".join(f"| {key.strip()} | {value:.4g} |" for key, value in values.items())
    size = sum(t.numel() for key, t in trained.tensors.items() if key.startswith("ema."))
    return f"""# {name}

| | |
|---|---|
| Data | {trained.about.data}, {trained.about.shape} |
| Network | {size:,} parameters: {model} |
| Schedule | {trained.schedule.name}, T = {trained.schedule.T} |
| Training | {trained.step:,} steps in {clock(trained.seconds)} on {hardware}: {config} |
| Stored | {"the averaged weights, float16" if stored else LEFT_OUT} |
| Licence | MIT |

Measured with `python -m ddpm_lib evaluate {name} --samples {samples}` (DDIM, 50 steps, guidance 0.5, seed 0):

| | |
|---|---|
{rows}

The Frechet distance is taken on the features of the course's digit classifier, and is not an FID.

![Sixty-four samples, seeds 0 to 63]({name}.png)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", help="a run's checkpoint.safetensors")
    parser.add_argument("name", help="what `ddpm_lib.load` will know it by")
    parser.add_argument("--hardware", required=True, help="where it was trained, in words")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to put it (default: into the package)"
    )
    parser.add_argument("--samples", type=int, default=2048, help="images to measure it on (default: 2048)")
    parser.add_argument(
        "--card-only", action="store_true", help="write the card and the samples, not the weights"
    )
    args = parser.parse_args()

    folder: Path = args.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        table, weights = Path(scratch) / "table.json", Path(scratch) / "weights.safetensors"
        for command in (
            ["export", args.checkpoint, "--out", str(weights), "--half"],
            ["sample", str(weights), "--grid", str(folder / f"{args.name}.png")],
            ["evaluate", str(weights), "--samples", str(args.samples), "--json", str(table)],
        ):
            if status := ddpm(command):
                return status
        values = json.loads(table.read_text())
        stored = not args.card_only
        text = card(weights, args.name, args.hardware, values, args.samples, stored)
        parts = install(weights, args.name, folder) if stored else []
    write_sums(folder)
    (folder / f"{args.name}.md").write_text(text)
    print(f"wrote {', '.join([*(part.name for part in parts), 'a card', 'samples'])} to {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

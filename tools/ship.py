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
from ddpm_lib.assets.measured import measured
from ddpm_lib.assets.weights import FOLDER, install
from ddpm_lib.cli.common import clock
from tools.checksums import write_sums

LEFT_OUT = "nowhere: the package would weigh more than 40 MB; `make gpu` trains it anew"


def card(
    weights: Path, name: str, hardware: str, values: dict[str, float], stored: bool, command_line: str
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

Measured with `python -m ddpm_lib evaluate {name} {command_line}, seed 0):

| | |
|---|---|
{rows}

The Frechet distance is taken on the features of the course's digit classifier, and is not an FID.

![Sixty-four samples, seeds 0 to 63]({name}.png)
"""


def classes(weights: Path | str) -> int:
    """How many classes a network knows: 0 for one that draws without them, which no guidance can steer."""
    return int(getattr(load(weights).model_config, "classes", 0))


def with_and_without(name: str) -> dict[str, float]:
    """Rows of the card: the distance with guidance 0 and 0.5, where `benchmarks/guidance.py` has measured them.

    The better the network, the less guidance helps; one of the two alone would hide that.
    """
    rows = {}
    for table in (measured("guidance"), measured("guidance-cpu-hour")):
        for w in (0.0, 0.5) if table["weights"] == name else ():
            found = [row["distance"] for row in table["rows"] if (row["how"], row["w"]) == ("", w)]
            setting = f"{table['samples']:,} digits in {table['steps']} steps, guidance {w:g}"
            rows[f"Frechet distance, {setting}"] = sum(found) / len(found)
    return rows


def ship(
    source: Path,
    name: str,
    hardware: str,
    folder: Path = FOLDER,
    samples: int = 2048,
    steps: int = 50,
    stored: bool = True,
    device: str = "auto",
    bits: int | None = None,
    guidance: float = 0.5,
) -> int:
    """Export a checkpoint's averaged weights to `folder`, with a grid and a card; 0, or the status of what failed."""
    folder.mkdir(parents=True, exist_ok=True)
    here = ["--steps", str(steps), "--guidance", str(guidance), "--device", device]
    asked = f"--steps {steps} --guidance {guidance:g}" if (steps, guidance) != (50, 0.5) else ""
    drawn = f"DDIM, {steps} step{'s' * (steps > 1)}"
    with tempfile.TemporaryDirectory() as scratch:
        table, weights = Path(scratch) / "table.json", Path(scratch) / "weights.safetensors"
        measure = ["evaluate", str(weights), "--samples", str(samples), "--json", str(table), *here]
        for command in (
            ["export", str(source), "--out", str(weights), "--half"],
            ["sample", str(weights), "--grid", str(folder / f"{name}.png"), *here],
            [*measure, *([] if bits is None else ["--bits", str(bits)])],
        ):
            if status := ddpm(command):
                return status
        drawn += f", guidance {guidance:g}" if classes(weights) else ""
        command_line = f"--samples {samples} {asked}".rstrip() + f"` ({drawn}"
        values = json.loads(table.read_text()) | with_and_without(name)
        text = card(weights, name, hardware, values, stored, command_line)
        parts = install(weights, name, folder) if stored else []
    write_sums(folder)
    (folder / f"{name}.md").write_text(text)
    print(f"wrote {', '.join([*(part.name for part in parts), 'a card', 'samples'])} to {folder}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", help="a run's checkpoint.safetensors")
    parser.add_argument("name", help="what `ddpm_lib.load` will know it by")
    parser.add_argument("--hardware", required=True, help="where it was trained, in words")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to put it (default: into the package)"
    )
    parser.add_argument("--samples", type=int, default=2048, help="images to measure it on (default: 2048)")
    parser.add_argument("--steps", type=int, default=50, help="of DDIM (default: 50)")
    parser.add_argument("--guidance", type=float, default=0.5, help="its weight w (default: 0.5)")
    parser.add_argument(
        "--card-only", action="store_true", help="write the card and the samples, not the weights"
    )
    args = parser.parse_args()
    return ship(
        args.checkpoint, args.name, args.hardware, args.folder, args.samples, args.steps,
        stored=not args.card_only, guidance=args.guidance,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())

"""The options of every command."""

from __future__ import annotations

import argparse
import difflib
import itertools
from typing import Any

from ddpm_lib.cli import bring, diagnose, options_sample, options_train, shard
from ddpm_lib.cli.numbers import images, several
from ddpm_lib.cli.options_shared import common, sampler
from ddpm_lib.train.presets import PRESETS

EXAMPLES = """\
examples:
  python -m ddpm_lib train unet --preset cpu-minutes          three minutes on a laptop, MNIST
  python -m ddpm_lib sample runs/cpu-minutes/checkpoint.safetensors --grid digits.png
  python -m ddpm_lib evaluate runs/cpu-minutes/checkpoint.safetensors
  python -m ddpm_lib train unet --data photos/ --size 32      one's own images
  python -m ddpm_lib train --init runs/photos --data cats/    a trained network, on other images

on several GPUs or processes (train, sample and evaluate; needs accelerate):
  accelerate launch -m ddpm_lib train unet --preset gpu-minutes
  torchrun --nproc-per-node 2 -m ddpm_lib train unet --preset cpu-minutes --device cpu
"""

WIDTH = max(map(len, PRESETS)) + 2  # of the column of names


class Parser(argparse.ArgumentParser):
    """Names an option that there is not, for argparse takes its value for another's. Its commands' parsers do so."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, once every option is one of this parser's or the beginning of one."""
        for word in itertools.takewhile(
            lambda word: word != "--", args or () if self._subparsers is None else ()
        ):
            name = word.partition("=")[0]
            known = [option for option in self._option_string_actions if option.startswith("--")]
            if name.startswith("--") and not any(option.startswith(name) for option in known):
                near = difflib.get_close_matches(name, known, 1)
                self.error(f"there is no option {name}{f': did you mean {near[0]}?' if near else ''}")
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(
        prog="python -m ddpm_lib",
        description="Train, sample, measure and export denoising diffusion models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    options_train.options(commands.add_parser(
        "train", help="train a network on images",
        description="Train a network. The run is saved as it goes and at Ctrl-C; --resume goes on. --init begins a new "
        "run with trained weights.",
        epilog="presets:\n" + "\n".join(f"  {name:<{WIDTH}}{preset.about}" for name, preset in PRESETS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ))  # fmt: skip
    options_sample.options(commands.add_parser(
        "sample", help="draw images from a trained network",
        description="Draw images from a checkpoint and write them to a PNG, in rows.",
    ))  # fmt: skip
    _evaluate(commands.add_parser(
        "evaluate", help="measure how good a network is",
        description="Print the loss on held-out images by t and, for MNIST, Frechet distance and classes.",
    ))  # fmt: skip
    _export(commands.add_parser(
        "export", help="write the weights alone, to share",
        description="Write the averaged weights and the configuration, without the optimizer: about a quarter "
        "of the checkpoint, an eighth with --half. It can be sampled and evaluated, and `train --init` begins a new "
        "run with it; the run itself goes on from its checkpoint alone. Or write the network for another library, in "
        "one of the formats below.",
    ))  # fmt: skip
    bring.options(commands.add_parser(
        "import", help="take a network from diffusers",
        description="Read a folder that diffusers' DDPMPipeline saved, and write weights that the other commands take. "
        "Its UNet2DModel must be one that ddpm_lib's U-Net can be, or it is said why not. Needs diffusers.",
    ))  # fmt: skip
    diagnose.options(commands.add_parser(
        "diagnose", help="name what is wrong with a network that draws badly",
        description="Check a network's weights, its answers and a walk, one line each, up to the first fault.",
    ))  # fmt: skip
    shard.options(commands.add_parser(
        "shard", help="write a folder of images as shards, to train on more than memory holds",
        description="Write a folder of images to shards: tar files that `train --data SHARDS` streams, so that memory "
        "stays the same however many images there are. Needs webdataset.",
    ))  # fmt: skip
    return top


def _evaluate(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "checkpoint",
        help="a run's checkpoint.safetensors, exported weights, or a shipped name, as cpu-minutes",
    )
    p.add_argument("--data", help="data to measure against (default: what it was trained on)")
    p.add_argument("--samples", type=images, help="digits to draw, for MNIST only (default: 2048)")
    p.add_argument(
        "--bits",
        type=several,
        default=16,
        metavar="N",
        help="images that the bound is measured on; 0 leaves it out (default: 16)",
    )
    p.add_argument("--json", metavar="FILE", help="write the table there too")
    sampler(p)
    common(p)


def _export(p: argparse.ArgumentParser) -> None:
    p.add_argument("checkpoint", help="a run's checkpoint.safetensors")
    p.add_argument(
        "--out",
        metavar="FILE",
        help="file to write (default: weights.safetensors, model.onnx, model.js or a folder, beside the checkpoint)",
    )
    p.add_argument("--half", action="store_true", help="store the weights in float16")
    formats = p.add_mutually_exclusive_group()
    formats.add_argument(
        "--onnx",
        action="store_true",
        help="an ONNX file: inputs xt, t (and y) of any batch and size, the schedule in its metadata "
        "(needs onnx; checked where onnxruntime is installed)",
    )
    formats.add_argument(
        "--diffusers",
        action="store_true",
        help="a folder for diffusers' DDPMPipeline.from_pretrained (needs diffusers)",
    )
    formats.add_argument(
        "--web", action="store_true", help="a script (model.js) that a page runs the network from"
    )
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")

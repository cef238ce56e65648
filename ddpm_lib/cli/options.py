"""The options of every command."""

from __future__ import annotations

import argparse

from ddpm_lib.cli import diagnose, shard
from ddpm_lib.cli.numbers import count, finite, positive, rate, seconds, seed, several, share
from ddpm_lib.train.presets import PRESETS

EXAMPLES = """\
examples:
  python -m ddpm_lib train unet --preset cpu-minutes          three minutes on a laptop, MNIST
  python -m ddpm_lib sample runs/cpu-minutes/checkpoint.safetensors --grid digits.png
  python -m ddpm_lib evaluate runs/cpu-minutes/checkpoint.safetensors
  python -m ddpm_lib train unet --data photos/ --size 32      one's own images

on several GPUs or processes (train, sample and evaluate; needs accelerate):
  accelerate launch -m ddpm_lib train unet --preset gpu-minutes
  torchrun --nproc-per-node 2 -m ddpm_lib train unet --preset cpu-minutes --device cpu
"""

WIDTH = max(map(len, PRESETS)) + 2  # of the column of names


def parser() -> argparse.ArgumentParser:
    """The six commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m ddpm_lib",
        description="Train, sample, measure and export denoising diffusion models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _train(commands.add_parser(
        "train", help="train a network on images",
        description="Train a network. The run is saved as it goes and at Ctrl-C; --resume goes on.",
        epilog="presets:\n" + "\n".join(f"  {name:<{WIDTH}}{preset.about}" for name, preset in PRESETS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ))  # fmt: skip
    _sample(commands.add_parser(
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
        "of the checkpoint, an eighth with --half. It can be sampled and evaluated, not trained on. Or write "
        "the network for another library, in one of the formats below.",
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


def _train(p: argparse.ArgumentParser) -> None:
    p.add_argument("model", nargs="?", choices=["unet", "resnet"], help="network (default: unet)")
    p.add_argument("--preset", choices=list(PRESETS), metavar="NAME", help="named experiment; see below")
    p.add_argument("--data", help="mnist, fashion-mnist, a folder of images or of shards (default: mnist)")
    p.add_argument(
        "--size",
        type=positive,
        help="side of a folder's images in pixels (default: 32, or the shards' own)",
    )
    p.add_argument(
        "--channels", type=int, choices=[1, 3], help="1 for grey, 3 for color (default: as the images are)"
    )
    p.add_argument("--skip-bad", action="store_true", help="leave out images that cannot be read")
    p.add_argument("--out", metavar="FOLDER", help="where the run is saved (default: runs/PRESET)")
    p.add_argument("--resume", metavar="CHECKPOINT", help="go on with an interrupted run")
    p.add_argument(
        "--steps",
        type=positive,
        help="optimizer steps, those before a --resume included, however long they take",
    )
    p.add_argument(
        "--seconds",
        type=seconds,
        help="stop after so many seconds of training, those before a --resume included",
    )
    p.add_argument("--batch", type=positive, help="images per step, of all processes together")
    p.add_argument(
        "--accumulate",
        type=positive,
        metavar="N",
        help="microbatches that a step is computed in: the same step in less memory",
    )
    p.add_argument("--lr", type=rate, help="learning rate")
    p.add_argument(
        "--precision", choices=["float32", "bfloat16"], help="default: whichever is faster here, measured"
    )
    p.add_argument(
        "--compile",
        action="store_true",
        default=None,
        help="compile the network first, a minute or two that pays in long runs, most on a GPU",
    )
    p.add_argument("--seed", type=seed, help="of everything random")
    p.add_argument(
        "--save-every", type=seconds, default=60.0, metavar="SECONDS", help="between saves (default: 60)"
    )
    _common(p)


def _sample(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "checkpoint",
        help="a run's checkpoint.safetensors, exported weights, or a shipped name, as cpu-minutes",
    )
    p.add_argument(
        "--grid", default="samples.png", metavar="PNG", help="picture to write (default: samples.png)"
    )
    p.add_argument("--count", type=positive, default=64, help="images to draw (default: 64)")
    p.add_argument("--columns", type=positive, default=8, help="images in a row (default: 8)")
    p.add_argument(
        "--label",
        "--class",
        metavar="CLASS",
        help="class to draw, by name or number (default: every class in turn)",
    )
    p.add_argument("--batch", type=positive, default=64, help="images at a time (default: 64)")
    p.add_argument(
        "--compile", action="store_true", help="compile the network first: pays for many images, on a GPU"
    )
    _sampler(p)
    _common(p)


def _evaluate(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "checkpoint",
        help="a run's checkpoint.safetensors, exported weights, or a shipped name, as cpu-minutes",
    )
    p.add_argument("--data", help="data to measure against (default: what it was trained on)")
    p.add_argument("--samples", type=positive, default=2048, help="images to draw (default: 2048)")
    p.add_argument(
        "--bits",
        type=several,
        default=16,
        metavar="N",
        help="images that the bound is measured on; 0 leaves it out (default: 16)",
    )
    p.add_argument("--json", metavar="FILE", help="write the table there too")
    _sampler(p)
    _common(p)


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


def _sampler(p: argparse.ArgumentParser) -> None:
    p.add_argument("--sampler", choices=["ddpm", "ddpm-beta", "ddim"], default="ddim", help="default: ddim")
    p.add_argument(
        "--steps", type=count, default=50, help="steps of the sampler; 0 takes all T (default: 50)"
    )
    p.add_argument("--eta", type=share, default=0.0, help="DDIM's noise: 0 none, 1 as DDPM (default: 0)")
    p.add_argument(
        "--guidance", type=finite, default=0.5, help="weight w, for networks with classes (default: 0.5)"
    )
    p.add_argument("--seed", type=seed, default=0, help="seed of the first image; the next has seed + 1")


def _common(p: argparse.ArgumentParser) -> None:
    p.add_argument("--device", default="auto", help="cpu, cuda, mps (default: a GPU where there is one)")
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")

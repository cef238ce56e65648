"""What `train --init` refuses: in one sentence, and before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddpm_lib.__main__ import main
from ddpm_lib.models import DiTConfig, MLPConfig, NetworkConfig, ResNetConfig, UNetConfig, WordsConfig, build
from ddpm_lib.models.trained import About, Trained, export_weights
from ddpm_lib.schedule import cosine_schedule
from tests.own_run import mistake
from tests.theirs import saved
from tests.tiny import CPU, pictures
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")

COLOR = UNetConfig(channels=3, base=8, mults=(1, 2), blocks=1, heads=1)
TWO = ("cats", "dogs")
# The network, the shape of its images, the names of its classes, and who taught it
WEIGHTS: dict[str, tuple[NetworkConfig, tuple[int, ...], tuple[str, ...], str]] = {
    "color": (COLOR, (3, 8, 8), (), ""),
    "wide": (COLOR, (3, 8, 16), (), ""),
    "resnet": (ResNetConfig(channels=3, width=4), (3, 8, 8), (), ""),
    "grey": (UNetConfig(base=8, mults=(1,), blocks=1, heads=1), (1, 8, 8), (), ""),
    "pets": (UNetConfig(channels=3, base=8, mults=(1,), blocks=1, heads=1, classes=2), (3, 8, 8), TWO, ""),
    "ten": (UNetConfig(channels=3, base=8, mults=(1,), blocks=1, heads=1, classes=10), (3, 8, 8), (), ""),
    "student": (COLOR, (3, 8, 8), (), "color"),
    "dit": (DiTConfig(channels=3, patch=2, width=16, blocks=1, heads=2, classes=2), (3, 8, 8), TWO, ""),
    "points": (MLPConfig(), (2,), (), ""),
    "latent": (DiTConfig(width=16, blocks=1, heads=2, classes=0), (4, 8, 8), (), ""),
    "words": (
        WordsConfig(("a cat", "a dog"), channels=3, base=8, blocks=1),
        (3, 8, 8),
        ("a cat", "a dog"),
        "",
    ),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: pictures of cats and dogs in `photos`, one class alone in `photos/cats`."""
    monkeypatch.chdir(tmp_path)
    return pictures(Path("photos"), TWO)


def weights(name: str) -> str:
    """The file of the weights of that name."""
    config, shape, classes, teacher = WEIGHTS[name]
    torch.manual_seed(0)
    tensors = {f"ema.{key}": tensor for key, tensor in build(config).state_dict().items()}
    training = {"teacher": teacher} if teacher else {"steps": 9}
    trained = Trained(
        config, cosine_schedule(20), About("old", shape, classes), tensors, 9, training=training
    )
    export_weights(f"{name}.safetensors", trained)
    return f"{name}.safetensors"


REFUSED = {
    **{
        f"color {option}": f"{option.split()[0]} would change the network or the noise of color.safetensors, which "
        f"--init keeps: leave out {option.split()[0]}, or train a new network, without --init."
        for option in ("--width 8", "--levels 2", "--predicts eps", "--schedule cosine", "-T 20")
    },
    "color --resume run": "--resume goes on with a run, and --init begins a new one with trained weights: pass one of "
    "the two.",
    "color resnet": "color.safetensors is a unet, and not a resnet: leave out resnet, or train a new one, without "
    "--init.",
    "resnet unet": "resnet.safetensors is a resnet, and not a unet: leave out unet, or train a new one, without "
    "--init.",
    "points": "points.safetensors draws points of 2 numbers, and `train` reads grey or color images: pass weights that "
    "draw images, or train it in Python, with ddpm_lib.load and ddpm_lib.train.",
    "latent": "latent.safetensors draws examples of shape (4, 8, 8), and `train` reads grey or color images: pass "
    "weights that draw images, or train it in Python, with ddpm_lib.load and ddpm_lib.train.",
    "student": "student.safetensors was distilled from color to draw in few steps, which `train` would undo: begin "
    "with the weights of its teacher.",
    "wide": "wide.safetensors draws 8 x 16 pixels, and images are read as squares: say their side with --size.",
    "color --size 9": "needs a height and width divisible by 2, but the images are 9 x 9",
    "color --channels 1": "color.safetensors draws images of 3 channels, and --channels says 1: leave it out, or begin "
    "with other weights.",
    "color --data mnist": "color.safetensors draws images of 3 channels, and those of mnist have 1: pass other images "
    "with --data, or begin with other weights.",
    "grey --data shards": "grey.safetensors draws images of 1 channel, and those of shards have 3: pass other images "
    "with --data, or begin with other weights.",
    "ten": "ten.safetensors knows 10 classes, and photos has 2 (cats, dogs): sort the images into 10 subfolders, one a "
    "class, or begin with weights that know no classes.",
    "pets --data photos/cats": "pets.safetensors knows 2 classes, and photos/cats has none: sort the images into 2 "
    "subfolders, one a class, or begin with weights that know no classes.",
    "words": "photos has the classes cats, dogs, and words.safetensors knows a cat, a dog (new: cats, dogs; missing: a "
    "cat, a dog): pass --data with the classes that it was trained on.",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence_and_nothing_is_written(
    here: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = case.split()
    if "shards" in options:
        pytest.importorskip("webdataset")
        assert main(["shard", "photos", "shards", "--size", "8"]) == 0
        capsys.readouterr()
    before = sorted(Path(".").rglob("*"))
    file = weights(name)
    command = ["train", "--init", file, "--data", "photos", "--out", "run", "--steps", "2", *CPU]
    said = mistake([*command, *options], capsys)
    assert REFUSED[case] in said
    Path(file).unlink()
    assert sorted(Path(".").rglob("*")) == before


def test_what_is_no_weights_is_said_as_everywhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(Path("their's"))
    Path("empty").mkdir()
    for name, said in (
        ("nothing", "There are no weights 'nothing': pass a checkpoint's path, cpu-few"),
        ("nothing.safetensors", "nothing.safetensors does not exist"),
        ("empty", "checkpoint.safetensors does not exist: pass the checkpoint.safetensors of a run"),
        ("", "The init is empty"),
        (
            "their's",
            "their's is a folder of diffusers, and no weights of ddpm_lib: run `python -m ddpm_lib import ",
        ),
    ):
        assert said in mistake(["train", "--init", name, "--data", "photos", *CPU], capsys)


@pytest.mark.parametrize(
    "case",
    [
        "color",
        "resnet",
        "pets",
        "grey",
        "dit",
        "wide --size 8",
        "color unet",
        "color --preset classic-resnet",
    ],
)
def test_what_can_be_is_trained(here: Path, case: str) -> None:
    """Pictures in color for a grey network, subfolders for one without classes, and any preset's training."""
    name, *options = case.split()
    command = [
        "train",
        "--init",
        weights(name),
        "--data",
        "photos",
        "--out",
        "run",
        "--steps",
        "2",
        "--batch",
        "4",
    ]
    assert main([*command, *options, "--precision", "float32", *CPU]) == 0


def test_a_run_that_exists_is_not_begun_anew(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "--init", weights("color"), "--data", "photos", "--out", "run", "--steps", "2"]
    assert main([*command, "--precision", "float32", *CPU]) == 0
    before = Path("run/checkpoint.safetensors").read_bytes()
    for begun in ("run", "color.safetensors"):
        command[2] = begun
        assert "exists: go on with" in mistake([*command, *CPU], capsys)
    assert Path("run/checkpoint.safetensors").read_bytes() == before

"""book/ddpm.py, the whole course in one file: the same numbers as ddpm_lib, and it runs without it."""

import gzip
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ddpm_lib.data import mnist, to_pixels
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss
from ddpm_lib.models import build
from ddpm_lib.sampling import Noise, sample
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train.presets import PRESETS
from tools.equations import numbers

FILE = Path(__file__).resolve().parent.parent / "book" / "ddpm.py"
SPEC = importlib.util.spec_from_file_location("one_file", FILE)
assert SPEC is not None
assert SPEC.loader is not None
one = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(one)

SAME = {"resnet": "classic-resnet", "small": "classic-small", "classic": "classic-unet"}
T = 30
DIFFUSION, OURS = one.Diffusion(T), GaussianDiffusion(linear_schedule(T))


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """The file's network and the library's, with the same weights, none of them 0: layers come in the same order."""
    mine, theirs = one.NETWORKS[name](), build(PRESETS[SAME[name]].model)
    with torch.no_grad():
        for seed, weight in enumerate(theirs.parameters()):
            weight.copy_(normal(*weight.shape, seed=seed) * weight[0].numel() ** -0.5)
    mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values(), strict=True)))
    return mine.eval(), theirs.eval()


@pytest.mark.parametrize("name", SAME)
def test_its_networks_are_the_library_s(name: str) -> None:
    mine, theirs = pair(name)
    x, t = normal(2, 1, 28, 28), torch.tensor([1, 480])
    with torch.no_grad():
        found, expected = mine(x, t), theirs(x, t)
        assert expected.std() > 0.01
        close(found / expected.std(), expected / expected.std())


@pytest.mark.parametrize("name", SAME)
def test_its_networks_begin_as_the_library_s_do(name: str) -> None:
    states = []
    for make in (one.NETWORKS[name], lambda: build(PRESETS[SAME[name]].model)):
        torch.manual_seed(0)
        states.append(list(make().state_dict().values()))
    for found, expected in zip(*states, strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("steps", [30, 500, 1000])
def test_its_schedule_is_the_library_s(steps: int) -> None:
    mine, theirs = one.Diffusion(steps), linear_schedule(steps)
    torch.testing.assert_close(mine.beta, theirs.beta, rtol=1e-12, atol=0)
    torch.testing.assert_close(mine.alpha_bar, theirs.alpha_bar, rtol=1e-12, atol=0)


def test_its_forward_process_and_posterior_are_the_library_s() -> None:
    x0, eps, t = normal(4, 1, 8, 8, seed=1), normal(4, 1, 8, 8, seed=2), torch.tensor([1, 2, 15, T])
    close(DIFFUSION.q_sample(x0, t, eps), OURS.q_sample(x0, t, eps))
    for time in t.tolist():
        mean, variance = DIFFUSION.posterior(x0, eps, time)
        expected, expected_variance = OURS.q_posterior(x0, eps, time, time - 1)
        close(mean, expected)
        close(variance.float(), expected_variance.squeeze())


def test_its_loss_is_the_library_s() -> None:
    mine, theirs = pair("small")
    x0, eps, t = normal(3, 1, 28, 28, seed=1), normal(3, 1, 28, 28, seed=2), torch.tensor([1, 10, T])
    expected = simple_loss(theirs, OURS, x0, t, eps)
    close(one.loss(mine, DIFFUSION, x0, t, eps) / expected.item(), expected / expected.item())


@pytest.mark.parametrize("name", ["resnet", "small"])
def test_it_draws_the_same_images_from_the_same_noise(name: str) -> None:
    mine, theirs = pair(name)
    seeds, shape = range(4), (1, 28, 28)
    found = list(one.sample(mine, DIFFUSION, Noise(seeds, shape)))
    expected = [state.xt for state in sample(theirs, OURS, shape, seeds=seeds)]
    assert len(found) == len(expected) == T + 1
    torch.testing.assert_close(torch.stack(found), torch.stack(expected), rtol=1e-5, atol=1e-4)
    assert not torch.equal(found[-1][0], found[-1][1])


def test_its_comments_number_the_equations_as_the_book_does() -> None:
    number = numbers()
    named = re.findall(r"(eq-[a-z0-9-]+)(?: \(([\d.]+)\))?", FILE.read_text())
    assert len(named) > 12
    for label, shown in named:
        assert shown == number[label], label


def test_it_is_one_screen_of_torch_and_numpy() -> None:
    source = FILE.read_text()
    written = [line for line in source.splitlines() if line.strip()]
    assert len(written) <= 154  # as a reader counts; the formatter sets the blank lines
    assert max(map(len, written)) <= 110
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", source, flags=re.MULTILINE))
    assert imported - sys.stdlib_module_names == {
        "torch",
        "numpy",
        "ddpm_lib",
    }  # the last where it is installed


def test_it_reads_the_package_s_digits() -> None:
    assert torch.equal(one.read_mnist(""), mnist().pixels)


def plain(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)


def zipped(path: Path, raw: bytes) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(raw))


@pytest.mark.parametrize("write", [plain, zipped])
def test_it_runs_where_the_library_is_not(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    head = bytes([0, 0, 8, 3]) + np.array(pixels.shape, ">u4").tobytes()
    write(tmp_path / "train-images-idx3-ubyte", head + pixels.tobytes())
    assert torch.equal(one.read_mnist(str(tmp_path))[:, 0], torch.from_numpy(pixels))
    code = (
        "import runpy, sys; sys.modules['ddpm_lib'] = None; "
        f"sys.argv = ['ddpm.py', *sys.argv[1:]]; runpy.run_path({str(FILE)!r}, run_name='__main__')"
    )
    small = ["--data", str(tmp_path), "--network", "resnet", "--T", "20", "--steps", "3", "--batch", "2"]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *small], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "step 3 of 3: loss" in done.stdout
    for name, side in {"grid.png": 8 * 28, "walk.png": 16 * 28}.items():
        picture = Image.open(tmp_path / name)
        picture.load()
        assert (picture.size, picture.mode) == ((side, side), "L")


def test_its_pictures_hold_the_images_pixel_by_pixel(tmp_path: Path) -> None:
    images = normal(6, 1, 4, 5)
    one.write_png(tmp_path / "a.png", images, 3)
    found = np.asarray(Image.open(tmp_path / "a.png"))
    expected = to_pixels(images)[:, 0].numpy()
    assert found.shape == (8, 15)
    for i in range(6):
        row, column = 4 * (i // 3), 5 * (i % 3)
        assert np.array_equal(found[row : row + 4, column : column + 5], expected[i])


def test_training_lowers_the_loss() -> None:
    torch.manual_seed(0)
    network, diffusion, images = one.ResNet(), one.Diffusion(T), mnist().pixels[:64]
    x0, t = images / 127.5 - 1, torch.arange(64) % T + 1
    eps = torch.randn_like(x0)
    before = one.loss(network, diffusion, x0, t, eps).item()
    one.train(network, diffusion, images, steps=40, batch=32, lr=0.02)
    assert one.loss(network, diffusion, x0, t, eps).item() < 0.8 * before

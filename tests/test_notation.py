"""The table of names in book/symbols.ipynb is true: every name in it is looked up, here and in diffusers."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import diffusers
import nbformat
import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMSchedulerOutput
from diffusers.schedulers.scheduling_ddpm import DDPMSchedulerOutput

import ddpm_lib
from ddpm_lib import further
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate import metrics
from ddpm_lib.models import oracle
from ddpm_lib.schedule import linear_schedule

PAGE = Path(__file__).resolve().parent.parent / "book" / "symbols.ipynb"
CODE = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"`(\w+)` in `([\w.]+)`")


def table() -> list[list[str]]:
    """The rows of the table of names, each a list of cells, without the head."""
    notebook = nbformat.read(PAGE, as_version=nbformat.NO_CONVERT)
    page = next(cell.source for cell in notebook.cells if "## The table of names" in cell.source)
    names = page.split("\n### ")[0]  # the second table says where each begins to count
    rows = [line for line in names.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows[2:]]


ROWS = table()


def found_by_letter() -> dict[str, list[str]]:
    """The tables of letters before it: what each row's symbol is called in the code, if anything."""
    notebook = nbformat.read(PAGE, as_version=nbformat.NO_CONVERT)
    lists = [cell.source for cell in notebook.cells if re.match("## (Latin|Greek) letters", cell.source)]
    rows = [line[1:-1].split("|") for text in lists for line in text.splitlines() if line.startswith("|")]
    return {
        symbol.strip(): CODE.findall(code)
        for symbol, code, _ in rows
        if symbol.strip() not in {"Symbol", "---"}
    }


def find(name: str) -> Any:
    """What the table calls `name`: a module of ddpm_lib, what a module defines, or a method of the diffusion."""
    modules = {
        m.name.split(".")[-1]: importlib.import_module(m.name)
        for package in (ddpm_lib, further)
        for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    }
    defined = {
        k: v
        for m in modules.values()
        for k, v in vars(m).items()
        if getattr(v, "__module__", "") == m.__name__
    }
    return (vars(GaussianDiffusion) | defined | modules)[name]


def names_in(thing: Any) -> set[str]:
    """What a module, class or function calls its parts: attributes, fields, parameters."""
    names = set(dir(thing)) if inspect.isclass(thing) or inspect.ismodule(thing) else set()
    if dataclasses.is_dataclass(thing):
        names |= {field.name for field in dataclasses.fields(thing)}
    return names | (set(inspect.signature(thing).parameters) if callable(thing) else set())


def test_the_table_covers_the_symbols() -> None:
    assert len(ROWS) >= 22
    assert all(len(row) == 7 for row in ROWS)
    names = [PLACE.fullmatch(row[1]).group(1) for row in ROWS]  # type: ignore[union-attr]
    design = {"beta", "alpha", "alpha_bar", "x0", "xt", "eps", "eps_hat", "x0_hat", "q_sample", "q_posterior"}
    assert design | {"ddpm_step", "simple_loss", "T", "t", "s", "eta", "w"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_name_is_where_the_table_says(row: list[str]) -> None:
    place = PLACE.fullmatch(row[1])
    assert place, f"{row[1]} is not of the form `name` in `place`"
    name, where = place.groups()
    assert name in names_in(find(where))


def test_the_letters_lead_to_every_name_of_the_table_and_to_no_other() -> None:
    """A reader who looks a letter up finds all that the wide table has, under names that exist."""
    listed = [name for names in found_by_letter().values() for name in names]
    assert len(found_by_letter()) >= 35
    assert len(listed) == len(set(listed))
    wide = {PLACE.fullmatch(row[1]).group(1) for row in ROWS}  # type: ignore[union-attr]
    assert wide - {"score"} <= set(listed)  # the score stands among the signs
    story = ("NoiseSchedule", "ddpm_step", "q_between", "GaussianDiffusion", "bound", "distill")
    later = ("precondition", "scales", "between_variances")  # of the chapters that go further
    places = [*map(find, (*story, *later)), oracle, metrics, GaussianDiffusion.p_mean_variance]
    exist = set[str]().union(*map(names_in, places))
    assert set(listed) - wide <= exist


@pytest.fixture(scope="module")
def names_in_diffusers() -> set[str]:
    parts = [
        diffusers.DDPMScheduler,
        diffusers.DDPMScheduler.step,
        diffusers.DDPMScheduler.add_noise,
        diffusers.DDIMScheduler.step,
        diffusers.DiTPipeline.__call__,
        DDPMSchedulerOutput,
        DDIMSchedulerOutput,
    ]
    return set(dir(diffusers.DDPMScheduler())).union(*map(names_in, parts))


def test_the_names_in_diffusers_exist(names_in_diffusers: set[str]) -> None:
    said = {name for row in ROWS for name in CODE.findall(row[6])}
    assert len(said) >= 12
    assert said <= names_in_diffusers


def test_diffusers_starts_its_table_one_step_later() -> None:
    theirs = diffusers.DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear").alphas_cumprod
    ours = linear_schedule(1000).alpha_bar
    assert len(theirs) == 1000
    assert torch.allclose(theirs.double(), ours[1:], atol=1e-6)
    assert not torch.allclose(theirs.double(), ours[:-1], atol=1e-6)


def test_where_each_begins_to_count() -> None:
    """Index 0 is the clean image here and one step of noise in diffusers, as the second table says."""
    scheduler = diffusers.DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear")
    ours = linear_schedule(1000)
    assert float(ours.alpha_bar[0]) == 1
    assert float(scheduler.alphas_cumprod[0]) == pytest.approx(1 - float(ours.beta[1]), rel=1e-6)
    assert (int(scheduler.timesteps.min()), int(scheduler.timesteps.max())) == (0, 999)
    assert (len(ours.alpha_bar), ours.T) == (1001, 1000)


def test_alpha_in_ddim_is_alpha_bar_here() -> None:
    """DDIM's x_t = sqrt(alpha_t) x_0 + sqrt(1 - alpha_t) eps, as its own scheduler adds noise."""
    scheduler = diffusers.DDIMScheduler(beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
    x0, eps = torch.full((1, 1), 0.5).double(), torch.full((1, 1), -1.0).double()
    alpha = linear_schedule(1000).alpha_bar[301]
    theirs = scheduler.add_noise(x0, eps, torch.tensor([300]))
    assert torch.allclose(theirs, alpha.sqrt() * x0 + (1 - alpha).sqrt() * eps, atol=1e-5)

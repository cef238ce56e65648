"""Parts of the cloud, for its tests."""

import pytest
from playwright.sync_api import Locator, Page

from ddpm_lib.data.toys import spiral, two_moons
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.sampling import State, timesteps
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import CloudWidget
from ddpm_lib.widgets.host.noise import noise

CLOUDS = {"two moons": two_moons(200, 0), "spiral": spiral(150, 0)}
DIFFUSION = GaussianDiffusion(linear_schedule(500))


def walk(ts: list[int], n: int = 120, seed: int = 0) -> list[State]:
    """States as a sampler yields them; the forward process backwards is as good as any."""
    x0, eps = two_moons(n, seed), noise(seed, (n, 2)).float()
    return [State(t, DIFFUSION.q_sample(x0, t, eps), None) for t in ts]


def recording(steps: int = 100, n: int = 120, seed: int = 0) -> list[State]:
    return walk(timesteps(500, steps), n, seed)


def root(page: Page) -> Locator:
    return page.locator(".ddpm-cloud")


def data(page: Page, name: str) -> str:
    return root(page).get_attribute(f"data-{name}") or ""


def numbers(page: Page, name: str) -> list[float]:
    return [float(value) for value in data(page, name).split()]


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="time step t")


def same(page: Page, w: CloudWidget) -> None:
    """Mean and variance of the page's points are those of Python's."""
    x = w.x.double()
    assert numbers(page, "mean") == pytest.approx(x.mean(0).tolist(), abs=1e-5)
    assert numbers(page, "variance") == pytest.approx(x.var(0, unbiased=False).tolist(), abs=1e-5)


GOOD = recording(10)

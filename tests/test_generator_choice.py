"""The generator of a published page offers a second network, which draws in one step."""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib import load
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import FEW, SHIPPED
from ddpm_lib.widgets.generator.offered import NETWORKS
from tests.generator_page import finish, generate, levels, root
from tests.shown import grey
from tests.widget_page import document


def test_both_networks_have_one_chain_and_one_shape() -> None:
    one, other = load(SHIPPED), load(FEW)
    assert [network["name"] for network in NETWORKS] == [SHIPPED, FEW]
    assert torch.allclose(one.schedule.alpha_bar, other.schedule.alpha_bar, rtol=1e-9)
    assert (one.about.shape, one.about.classes) == (other.about.shape, other.about.classes)


def test_only_a_published_page_offers_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GenerateWidget().state()["networks"] == NETWORKS
    assert GenerateWidget(load(FEW)).state()["networks"] == []
    assert GenerateWidget(url="mine.js").state()["networks"] == []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert GenerateWidget().state()["networks"] == []


def test_the_student_that_is_chosen_draws_in_one_step_what_python_draws(page: Page, tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    for network in NETWORKS:
        write_page_script(tmp_path / network["url"], load(network["name"]))
    (tmp_path / "page.html").write_text(document(GenerateWidget(digit=7, seed=2, steps=2)), encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    generate(page).click()
    finish(page)
    assert root(page).get_attribute("data-step") == "2"
    first = grey(page)
    page.get_by_text("More: network").click()
    page.get_by_role("radio", name=FEW).check()
    assert root(page).get_attribute("data-state") == "idle"
    assert page.get_by_role("slider", name="number of steps").get_attribute("aria-valuetext") == "1 step"
    assert page.get_by_role("slider", name="guidance w").get_attribute("aria-valuetext") == "w = 0.0"
    program = page.locator(".ddpm-python code").inner_text()
    generate(page).click()
    finish(page)
    assert root(page).get_attribute("data-step") == "1"
    names: dict[str, Any] = {}
    exec(program.replace("GenerateWidget(", "x = GenerateWidget(", 1), names)
    assert f'load("{FEW}")' in program
    assert np.abs(grey(page)[..., 0] - levels(names["x"][0, 0])).max() <= 1
    page.get_by_role("radio", name=SHIPPED).check()
    page.get_by_role("slider", name="number of steps").fill("1")  # the second stop: two steps
    generate(page).click()
    finish(page)
    assert root(page).get_attribute("data-step") == "2"
    assert np.abs(grey(page) - first).max() <= 1

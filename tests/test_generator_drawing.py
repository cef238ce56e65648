"""A reader's drawing in the page, edited by the real engine: it starts as SDEdit says, and ends as `edit_from` does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib import load
from ddpm_lib.evaluate.editing import edit_from
from ddpm_lib.evaluate.generate import last, sampler, with_guidance
from ddpm_lib.sampling import Noise
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import SHIPPED, as_in_the_page
from ddpm_lib.widgets.generator.offered import URL
from tests.generator_page import finish, generate, levels
from tests.generator_parts import pad_levels
from tests.widget_page import document
from tests.worker_page import asked

# Keeps what the page asks its worker for, and every state that it is told, in full precision.
LISTEN = """() => {
  window.states = [];
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...rest) {
    const hear = ({ data }) => data.type === "state" && states.push({ ...data, xt: [...data.xt] });
    if (message.type === "load") this.addEventListener("message", hear);
    return postMessage.call(this, message, ...rest);
  };
}"""
START, STEPS, SEEDS = 200, 20, range(4, 6)


@pytest.mark.parametrize("name", ["ddim", "ddpm"])
def test_what_becomes_of_a_drawing_is_what_edit_from_makes_of_it(
    page: Page, tmp_path: Path, name: Any
) -> None:
    (tmp_path / "_static").mkdir()
    write_page_script(tmp_path / URL, load(SHIPPED))
    w = GenerateWidget(mode="drawing", start=START, digit=7, seed=4, n=2, steps=STEPS, sampler=name)
    (tmp_path / "page.html").write_text(document(w), encoding="utf-8")
    page.add_init_script(f"({LISTEN})()")
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_role("button", name="Clear").click()
    pad = page.get_by_role("application")
    pad.press("Space")  # the pen goes down in the middle
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 6:
        pad.press(key)
    generate(page).click()
    finish(page)

    checkpoint = as_in_the_page(load(SHIPPED))
    diffusion, states = checkpoint.diffusion, asked(page, "return states;")
    begun, ended = (torch.tensor(states[i]["xt"]).reshape(2, 1, 28, 28) for i in (0, -1))
    drawing = torch.from_numpy(pad_levels(page)).float()[None, None] / 127.5 - 1
    assert (drawing > 0).sum() > 30
    # The pad shows whole levels; the drawing itself is what must have been noised to arrive at x_t.
    eps, ab = Noise(SEEDS, (1, 28, 28))(), diffusion.schedule.alpha_bar[START].float()
    x0 = (begun - (1 - ab).sqrt() * eps) / ab.sqrt()
    assert (x0 - drawing).abs().max() < 1.01 / 127.5
    assert torch.allclose(x0[0], x0[1], atol=1e-5)

    assert [state["t"] for state in states] == list(range(START, -1, -START // 8))
    walk = edit_from(
        with_guidance(checkpoint.network(), 0.5), diffusion, x0[:1].expand(2, 1, 28, 28), START,
        seeds=SEEDS, y=torch.tensor([7, 7]), step=sampler(name), steps=8,
    )  # fmt: skip
    with torch.no_grad():
        want = last(walk).xt
    assert (ended - want).abs().max() < 1e-3
    assert np.abs(levels(want[0, 0]) - levels(drawing[0, 0])).max() > 50  # it is not the drawing any more

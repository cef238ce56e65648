"""The worker that trains: it pauses, steps, saves; and the file that it saves."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.web.learned import from_learned, to_learned
from ddpm_lib.web.worker_source import learn_source
from tests.helpers import close, unchecked
from tests.learning import T, mlp
from tests.worker_page import Engine

RECIPE = {"schedule": "cosine", "T": 50, "predicts": "eps", "width": 8, "lr": 2e-3, "seed": 0}


@pytest.fixture
def worker(page: Page) -> Engine:
    return Engine(page, learn_source())


def begin(worker: Engine, **recipe: Any) -> dict[str, Any]:
    worker.page.evaluate(
        """([recipe, points]) =>
        engine.postMessage({ type: "start", id: 1, recipe, points: Float32Array.from(points) })""",
        [{**RECIPE, **recipe}, [-1.0, 0.0, 1.0, 0.0]],
    )
    return worker.heard("state", "error", "crash")[-1]


def test_the_worker_trains_pauses_steps_and_saves(worker: Engine) -> None:
    first = begin(worker)
    assert (first["type"], first["steps"], first["losses"]) == ("state", 0, [])
    worker.send("step")
    after = worker.heard("state")[-1]
    assert (after["steps"], len(after["losses"])) == (1, 1)
    worker.send("pace", ms=20)
    worker.send("train")
    worker.page.wait_for_function("() => heard.filter((m) => m.type === 'state').length >= 3")
    worker.send("pause")
    worker.send("save")
    heard = worker.heard("saved")
    states = [message for message in heard if message["type"] == "state"]
    assert 1 + sum(len(state["losses"]) for state in states) == states[-1]["steps"] > 3
    trained = from_learned(json.dumps(heard[-1]["learned"]))
    assert trained.step == states[-1]["steps"]
    close(trained.schedule.alpha_bar, cosine_schedule(50).alpha_bar, 1e-12)
    worker.send("walk", kind="heun", n=5, steps=4, seed=0)
    walked = worker.heard("walk")[-1]
    assert walked["ts"] == timesteps(50, 4)


def test_a_rate_that_is_too_high_ends_in_a_sentence(worker: Engine) -> None:
    begin(worker, lr=1e30, predicts="x0")
    worker.send("train")
    assert "choose a lower rate" in worker.heard("error")[-1]["message"]


def edited(**changes: Any) -> str:
    whole = json.loads(to_learned(mlp(8), GaussianDiffusion(linear_schedule(T))))
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "other"}',
        edited(format="ddpm_lib/mlp/2"),
        edited(config={"dim": 3}),
        edited(config={"dim": 2, "width": 65536, "layers": 3, "predicts": "eps"}),
        edited(tensors=[]),
        edited(tensors=[{"name": "net.0.0.bias", "shape": [10**12], "data": "AAAAAA=="}]),
        edited(tensors=[{"name": "net.0.0.bias", "shape": [1], "data": "AAAAAA=="}] * 2),
        edited(schedule={"name": "x", "beta": "####"}),
        edited(step=-1),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"pass ") as error:
        from_learned(text)
    assert "\n" not in str(error.value)


def test_a_network_alone_needs_its_diffusion() -> None:
    with unchecked(), pytest.raises(ValueError, match="pass its diffusion"):
        to_learned(mlp(8))


def test_infinite_weights_are_refused() -> None:
    network = mlp(8)
    network.net[-1].bias.data[0] = torch.inf  # type: ignore[union-attr]
    text = to_learned(network, GaussianDiffusion(NoiseSchedule(linear_schedule(T).beta)))
    with pytest.raises(CheckpointError, match="not finite"):
        from_learned(text)

"""What the engine is told and tells: steps, pauses, mistakes, damaged weights."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from ddpm_lib.sampling import timesteps
from tests.engine import damaged
from tests.engine import tiny as tiny
from tests.worker_page import Engine, request


def test_it_tells_of_every_step(page: Page, tiny: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.load(tiny)
    states = engine.run(id=17, n=2, labels=[0, -1], steps=5)
    assert [(s["type"], s["id"], s["step"], s["steps"], s["t"]) for s in states] == [
        ("state", 17, step, 5, t) for step, t in enumerate(timesteps(40, 5))
    ]
    assert states[0]["x0_hat"] is None
    assert all(len(s["xt"]) == len(s["x0_hat"]) == 2 * 64 for s in states[1:])
    assert states[-1]["xt"] == pytest.approx(states[-1]["x0_hat"], abs=1e-6)  # at s = 0 the mean is x0_hat
    assert max(map(abs, states[1]["x0_hat"])) <= 1


def test_it_pauses_steps_resumes_and_stops(page: Page, tiny: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.load(tiny)

    def still(least: int = 1) -> list[int]:
        page.wait_for_function("(n) => heard.length >= n", arg=least)
        page.wait_for_timeout(100)
        return [m["step"] for m in page.evaluate("() => heard.splice(0)")]

    run = {"type": "run", **request(steps=6)}
    engine.send_at_once(run | {"id": 1}, {"type": "pause"})
    reached = still()[-1]
    assert reached < 6, "the run was over before the pause"
    engine.send("step")
    assert still() == [reached + 1]
    engine.send("resume")
    assert engine.heard("done")[-1]["id"] == 1

    engine.send_at_once(run | {"id": 2}, {"type": "pause"}, {"type": "cancel"})
    assert still()[-1] < 6
    engine.send("resume")
    assert still(0) == []
    long = run | {"id": 3, "steps": 40, "n": 50, "labels": [-1] * 50}
    engine.send_at_once(long, run | {"id": 4})  # a new run takes the place of the old one
    messages = engine.heard("done")
    assert messages[-1]["id"] == 4
    assert {m["id"] for m in messages[-7:]} == {4}
    page.wait_for_timeout(100)
    assert page.evaluate("() => heard.length") == 0


MISTAKES = {
    "Cannot take 41 steps from t = 40: choose 1 to 40.": {"steps": 41},
    "Cannot take 0 steps from t = 40: choose 1 to 40.": {"steps": 0},
    "Cannot take 4 steps from t = 3: choose 1 to 3.": {"from": 3},
    "Cannot start at t = 41: choose 1 to 40.": {"from": 41},
    "Cannot draw 0 images: ask for 1 or more.": {"n": 0},
    "There are 2 labels for 1 images: pass one an image, -1 for no class.": {"labels": [0, 1]},
    "There is no class 3: choose 0 to 2, or -1 for none.": {"labels": [3]},
    "There is no sampler euler: choose ddpm or ddim.": {"sampler": "euler"},
    "eta = 2 is not between 0 and 1.": {"eta": 2},
    "The weight of guidance must be a number, not null.": {"w": None},
    "The start has 3 numbers, not 1 times 64.": {"x": [1, 2, 3]},
    "The noise has 3 numbers, not 4 times 1 times 64.": {"noise": [1, 2, 3]},
    "The mask needs 64 numbers and a known picture of 64.": {"mask": [1] * 64},
}


def test_a_mistake_is_one_sentence_and_the_next_run_goes(page: Page, tiny: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.send("run", **request(id=1))
    assert engine.heard("error")[-1]["message"] == "There are no weights yet: load them first."
    engine.load(tiny)
    for sentence, mistake in MISTAKES.items():
        engine.send("run", **request(**{"id": 9, **mistake}))
        (answer,) = engine.heard("error", "done", "crash")
        assert (answer["type"], answer["id"], answer["message"]) == ("error", 9, sentence)
    assert len(engine.run()) == 5


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("flipped", "The weights are damaged (their checksum is wrong): load the page again"),
        ("truncated", "The weights are cut short (300 of "),
        ("not base64", "The weights are damaged: load the page again"),
        ("missing layer", "The weights lack last.2.bias: export them again"),
        ("unknown layer", "The layer extra.weight is unknown to this engine: export"),
        ("other network", "The weights of time.mlp.0 do not fit the network's configuration: export"),
        ("other format", "The weights have the format ddpm_lib/web/2, not ddpm_lib/web/1: export"),
    ],
)
def test_damaged_weights_are_refused_in_one_sentence(
    page: Page, tiny: dict[str, Any], damage: str, sentence: str
) -> None:
    engine = Engine(page)
    answer = engine.load(damaged(tiny, damage))
    assert answer["type"] == "error"
    assert answer["message"].startswith(sentence)
    assert engine.load(tiny)["type"] == "loaded"

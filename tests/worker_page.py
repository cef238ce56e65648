"""The engine in a page, and the same run in torch, for the tests that compare them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.evaluate.generate import sampler
from ddpm_lib.guidance import Guided
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import NoiseSchedule, linear_schedule
from ddpm_lib.web.worker_source import worker_source
from tests.helpers import generator

START = """(source) => {
  window.engine?.terminate();
  window.heard = [];
  window.engine = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  engine.onerror = (event) => heard.push({ type: "crash", message: event.message });
  const list = (value) => (value instanceof Float32Array ? [...value] : value);
  engine.onmessage = ({ data }) =>
    heard.push(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, list(value)])));
}"""
SEND = """(message) => {
  for (const key of ["x", "mask", "known", "noise"]) if (message[key]) message[key] = Float32Array.from(message[key]);
  engine.postMessage(message);
}"""


class Engine:
    """One worker in one page."""

    def __init__(self, page: Page, source: str | None = None) -> None:
        self.page = page
        page.evaluate(START, source or worker_source())

    def send(self, type: str, **message: Any) -> None:
        """Post one message; tensors become Float32Arrays."""
        plain = {k: v.flatten().tolist() if isinstance(v, Tensor) else v for k, v in message.items()}
        self.page.evaluate(SEND, {"type": type, **plain})

    def send_at_once(self, *messages: dict[str, Any]) -> None:
        """Post several messages in one go, so that the worker cannot finish between two of them."""
        self.page.evaluate("(messages) => messages.forEach((m) => engine.postMessage(m))", [*messages])

    def heard(self, *types: str) -> list[dict[str, Any]]:
        """What the worker has said by the time it says one of `types`; then it is forgotten."""
        self.page.wait_for_function("(types) => heard.some((m) => types.includes(m.type))", arg=[*types])
        messages: list[dict[str, Any]] = self.page.evaluate("() => heard.splice(0)")
        return messages

    def load(self, detail: dict[str, Any]) -> dict[str, Any]:
        """Load weights: the worker's answer."""
        self.send("load", detail=detail)
        return self.heard("loaded", "error", "crash")[-1]

    def run(self, **run: Any) -> list[dict[str, Any]]:
        """The states of a run that must succeed."""
        self.send("run", **request(**run))
        *states, done = self.heard("done", "error", "crash")
        assert done["type"] == "done", done
        assert done["ms"] > 0
        return states


def request(**run: Any) -> dict[str, Any]:
    """A run with the fields that were left out."""
    usual = {"id": "a", "n": 1, "labels": [-1] * run.get("n", 1), "sampler": "ddim", "steps": 4}
    return {**usual, "eta": 0.0, "w": 0.0, "seed": 0, **run}


def random_checkpoint(
    config: UNetConfig, side: int = 8, schedule: NoiseSchedule | None = None, scale: float = 0.1
) -> Trained:
    """A U-Net with random weights everywhere: an untrained one puts out zeros."""
    model, rng = build(config), generator(0)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=rng) * scale
        parameter.data = noise + ("norm" in name and name.endswith("weight"))
    return Trained(
        model_config=config,
        schedule=schedule or linear_schedule(40, beta_max=0.1, rescale=False),
        about=About("noise", (config.channels, side, side)),
        tensors={f"ema.{name}": tensor for name, tensor in model.state_dict().items()},
    )


def in_torch(checkpoint: Trained, run: dict[str, Any]) -> Tensor:
    """The last x of the same run in torch, from the same start and noise."""
    model, diffusion = checkpoint.network(), checkpoint.diffusion
    config = checkpoint.model_config
    assert isinstance(config, UNetConfig)
    labels = torch.tensor(run["labels"])
    y = torch.where(labels < 0, config.classes, labels) if config.classes else None
    denoiser = Guided(model, run["w"], null=config.classes) if run["w"] else model
    step = sampler(run["sampler"], run["eta"])
    x = run["x"]
    with torch.inference_mode():
        path = timesteps(run.get("from", diffusion.T), run["steps"])
        for (t, s), z in zip(pairwise(path), run["noise"], strict=True):
            x0_hat, eps_hat = diffusion.denoise(denoiser, x, t, y=y)
            x = step(diffusion, x, t, s, x0_hat, eps_hat, z)
    return x

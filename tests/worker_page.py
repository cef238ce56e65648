"""The engine in a page, and the same run in torch, for the tests that compare them."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import numpy as np
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
  const text = (value) => {  // a list of many numbers takes seconds on its way out of the browser
    if (!(value instanceof Float32Array)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return "float32:" + btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  };
  engine.onmessage = ({ data }) =>
    heard.push(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, text(value)])));
}"""
SEND = """(message) => {
  for (const key of ["x", "mask", "known", "noise"])
    if (typeof message[key] === "string")
      message[key] = new Float32Array(Uint8Array.from(atob(message[key]), (c) => c.charCodeAt(0)).buffer);
    else if (message[key]) message[key] = Float32Array.from(message[key]);
  engine.postMessage(message);
}"""


def packed(x: Tensor) -> str:
    """Its numbers, as the base64 of float32."""
    return base64.b64encode(x.numpy().astype("<f4").tobytes()).decode()


def numbers(value: Any) -> Any:
    """A list of numbers where the page has packed one, else the value itself."""
    if not (isinstance(value, str) and value.startswith("float32:")):
        return value
    return np.frombuffer(base64.b64decode(value.removeprefix("float32:")), "<f4").tolist()


def asked(page: Page, body: str, arg: Any = None) -> Any:
    """What the body of a JavaScript function returns that sees `arg`: as JSON, for Playwright's lists are slow."""
    called = f"async (text) => JSON.stringify(await ((arg) => {{ {body} }})(JSON.parse(text)))"
    told = page.evaluate(called, json.dumps(arg))
    return None if told is None else json.loads(told)


class Engine:
    """One worker in one page."""

    def __init__(self, page: Page, source: str | None = None) -> None:
        self.page = page
        page.evaluate(START, source or worker_source())

    def send(self, type: str, **message: Any) -> None:
        """Post one message; tensors become Float32Arrays."""
        plain = {k: packed(v) if isinstance(v, Tensor) else v for k, v in message.items()}
        self.page.evaluate(SEND, {"type": type, **plain})

    def send_at_once(self, *messages: dict[str, Any]) -> None:
        """Post several messages in one go, so that the worker cannot finish between two of them."""
        self.page.evaluate("(messages) => messages.forEach((m) => engine.postMessage(m))", [*messages])

    def heard(self, *types: str) -> list[dict[str, Any]]:
        """What the worker has said by the time it says one of `types`; then it is forgotten."""
        self.page.wait_for_function("(types) => heard.some((m) => types.includes(m.type))", arg=[*types])
        messages: list[dict[str, Any]] = self.page.evaluate("() => heard.splice(0)")
        return [{key: numbers(value) for key, value in message.items()} for message in messages]

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

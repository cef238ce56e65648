"""The file of weights for a page: written, read back, refused; and the script that comes with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.web.export import AFTER, BEFORE, read_web, write_web
from ddpm_lib.web.quantize import dequantize, quantize
from ddpm_lib.web.worker_source import images_source, lean, learn_source, worker_source
from tests.engine import TINY, damaged
from tests.engine import tiny as tiny
from tests.helpers import close, generator
from tests.worker_page import random_checkpoint


def test_the_file_hands_its_weights_to_a_page_from_the_disk(page: Page, tmp_path: Path) -> None:
    assert main(["export", "cpu-minutes", "--web", "--out", str(tmp_path / "model.js")]) == 0
    assert (tmp_path / "model.js").stat().st_size < 1_450_000
    (tmp_path / "page.html").write_text("<!doctype html><title>w</title>", encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    before = page.evaluate("() => Object.keys(window).length")
    page.evaluate(START_FROM_FILE, worker_source())
    page.wait_for_function("() => window.answer")
    assert page.evaluate("() => answer.type") == "loaded"
    assert (
        page.evaluate("() => Object.keys(window).length") == before + 1
    )  # `answer`, which is the test's own


START_FROM_FILE = """(source) => {
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const script = document.createElement("script");
  worker.onmessage = ({ data }) => (window.answer = data);
  script.addEventListener("ddpm-weights", ({ detail }) => worker.postMessage({ type: "load", detail }));
  script.src = "model.js";
  document.head.append(script);
}"""


def test_it_works_in_a_sandboxed_frame(page: Page, tiny: dict[str, Any]) -> None:
    script = """([source, detail]) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts");
      const text = JSON.stringify([source, detail]).replaceAll("<", "\\\\u003c");
      frame.srcdoc = `<script>
        const [source, detail] = ${text};
        const worker = new Worker(URL.createObjectURL(new Blob([source])));
        worker.onmessage = ({ data }) => parent.postMessage(data, "*");
        worker.postMessage({ type: "load", detail });
      <` + `/script>`;
      addEventListener("message", ({ data }) => resolve(data));
      document.body.append(frame);
    })"""
    assert page.evaluate(script, [worker_source(), tiny]) == {"type": "loaded", "kind": "wasm-simd"}


def test_a_rounded_weight_is_off_by_half_a_step_at_most() -> None:
    weight = torch.randn(5, 7, 3, 3, generator=generator(0))
    weight[2] = 0
    for bits in (4, 8, 12):
        whole, scale = quantize(weight, bits)
        assert int(whole.abs().max()) == 2 ** (bits - 1) - 1
        off = (dequantize(whole, scale) - weight).abs().flatten(1).amax(1)
        assert bool((off <= 0.5001 * scale).all())


def test_the_file_reads_back_as_the_network_that_the_page_runs(tmp_path: Path) -> None:
    checkpoint = random_checkpoint(TINY, schedule=cosine_schedule(50))
    write_web(tmp_path / "model.js", checkpoint)
    back = read_web(tmp_path / "model.js")
    assert (back.model_config, back.about) == (TINY, checkpoint.about)
    close(back.schedule.alpha_bar, checkpoint.schedule.alpha_bar, 1e-7)
    exact, rounded = checkpoint.network().state_dict(), back.network().state_dict()
    for name, tensor in exact.items():
        limit = float(tensor.abs().max()) / 253 if tensor.ndim > 1 else 1e-9
        close(rounded[name], tensor, limit)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "not base64"])
def test_a_damaged_file_is_refused(tmp_path: Path, tiny: dict[str, Any], damage: str) -> None:
    path = tmp_path / "model.js"
    path.write_text(BEFORE + json.dumps(damaged(tiny, damage)) + AFTER, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"is damaged .*: export the weights again"):
        read_web(path)
    path.write_text(BEFORE + json.dumps(tiny)[:1000], encoding="utf-8")
    with pytest.raises(CheckpointError, match="is not a whole file of weights"):
        read_web(path)


def test_only_a_unet_can_be_written_for_a_page(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="runs U-Nets only"):
        write_web(tmp_path / "model.js", load("resnet"))


def test_what_a_page_carries_has_no_comments_and_is_strict() -> None:
    for text in (worker_source(), learn_source(), images_source()):
        assert "/*" not in text
        assert text.startswith('"use strict";')
        assert text.count('"use strict"') == 1
    assert lean("a = b; // c\nd = 'x = y';") == "a=b;\nd = 'x = y';"
    assert lean("/** @type {X} */ (e => { return f ? 1 : -2; })") == "(e=>{return f?1:-2;})"
    assert lean("get y ${constant(3)} vadd") == "get y ${constant(3)} vadd"
    assert lean('const r = / = /; // a "word"') == 'const r = / = /; // a "word"'

"""The engine in headless Chromium: it draws what torch draws, says what is wrong, and stops when told to."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.evaluate.generate import generate, with_guidance
from ddpm_lib.evaluate.generate import sampler as step_of
from ddpm_lib.models import UNetConfig
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.web.export import AFTER, BEFORE, checkpoint_of, detail, read_web, write_web
from ddpm_lib.web.quantize import dequantize, quantize
from ddpm_lib.web.worker_source import CORE, without_comments, worker_source
from tests.helpers import close, generator
from tests.worker_page import Engine, asked, in_torch, random_checkpoint, request

TINY = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=1, activation="silu", scale_shift=True, classes=3,
                  heads=2, predicts="x0")  # fmt: skip


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    return detail(random_checkpoint(TINY))


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    return detail(load("cpu-minutes"))


def recorded(checkpoint: Trained, seed: int = 0, **run: Any) -> dict[str, Any]:
    """A run with its start and its noise, which page and torch share."""
    run = request(**run)
    shape = (run["n"], *checkpoint.about.shape)
    rng = generator(seed)
    x = torch.randn(shape, generator=rng)
    return {**run, "x": x, "noise": torch.randn(run["steps"], *shape, generator=rng)}


def last(states: list[dict[str, Any]], like: Tensor) -> Tensor:
    return torch.tensor(states[-1]["xt"]).reshape(like.shape)


# -- parity --------------------------------------------------------------------------------------------------------


def test_fifty_steps_with_the_shipped_weights_draw_the_image_that_torch_draws(
    page: Page, digits: dict[str, Any]
) -> None:
    checkpoint, engine = checkpoint_of(digits), Engine(page)
    assert engine.load(digits) == {"type": "loaded", "kind": "wasm-simd"}
    runs = [
        recorded(checkpoint, steps=50, labels=[7]),
        recorded(checkpoint, steps=50, labels=[3], w=0.5),
        recorded(checkpoint, steps=10, n=2, labels=[4, -1], w=1.5, eta=0.6),
        recorded(checkpoint, steps=25, labels=[8], sampler="ddpm"),
    ]
    for run in runs:
        close(last(engine.run(**run), run["x"]), in_torch(checkpoint, run), 1e-3)


CONFIGS = {
    "no norm, leaky_relu, added time, eps": UNetConfig(base=8, mults=(1, 2), blocks=2, heads=2),
    "groups, attention at a level, color, v": UNetConfig(
        channels=3, base=12, mults=(1, 2), blocks=1, attention=(1,), heads=4, groups=4, activation="silu", predicts="v"
    ),
    "three levels, fold, scale-shift, attention at the first": UNetConfig(
        base=8, mults=(1, 1, 2), blocks=1, attention=(0, 2), heads=1, groups=32, activation="silu", scale_shift=True,
        fold=2, classes=2, predicts="x0",
    ),
    "one level, scale-shift without norm": UNetConfig(
        base=6, mults=(2,), blocks=1, heads=3, scale_shift=True, predicts="v"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_of_unet_agrees_with_torch(page: Page, name: str) -> None:
    config = CONFIGS[name]
    weights = detail(random_checkpoint(config, side=16 if config.fold > 1 else 8))
    checkpoint, engine = checkpoint_of(weights), Engine(page)
    assert engine.load(weights)["type"] == "loaded"
    labels = [1, -1] if config.classes else [-1, -1]
    for sampler, eta in [("ddim", 0.0), ("ddim", 0.7), ("ddpm", 0.0)]:
        w = 0.5 if config.classes else 0.0
        run = recorded(checkpoint, n=2, labels=labels, steps=7, sampler=sampler, eta=eta, w=w)
        expected = in_torch(checkpoint, run)
        assert expected.std() > 0.05  # a constant picture would prove nothing
        close(last(engine.run(**run), run["x"]), expected, 1e-3)


def test_a_picture_that_does_not_fill_the_square(page: Page) -> None:
    checkpoint = random_checkpoint(TINY)
    object.__setattr__(checkpoint, "about", type(checkpoint.about)("noise", (1, 6, 10)))
    weights = detail(checkpoint)
    engine, checkpoint = Engine(page), checkpoint_of(weights)
    engine.load(weights)
    run = recorded(checkpoint, labels=[1])
    close(last(engine.run(**run), run["x"]), in_torch(checkpoint, run), 1e-3)


def test_without_webassembly_the_same_picture(page: Page, tiny: dict[str, Any]) -> None:
    run = recorded(checkpoint_of(tiny), labels=[2], steps=10, eta=0.3)
    pictures = []
    no_simd = "WebAssembly.validate = () => false;"
    for missing in ("", "const WebAssembly = undefined;", no_simd):
        engine = Engine(page, missing + worker_source())
        kind = engine.load(tiny)["kind"]
        pictures.append((kind, last(engine.run(**run), run["x"])))
    assert [kind for kind, _ in pictures] == ["wasm-simd", "javascript", "javascript"]
    close(pictures[0][1], pictures[1][1], 1e-5)
    assert torch.equal(pictures[1][1], pictures[2][1])


# -- times, noise, masks -------------------------------------------------------------------------------------------


def in_page(page: Page, expression: str, arg: Any = None) -> Any:
    """The value of a JavaScript expression that sees the engine's functions, and `arg`."""
    return asked(page, f"{without_comments(*CORE)} return {expression};", arg)


PRODUCTS = """(() => {
  const [m, n, k] = [8, 16, 12];
  return [...kernel(), null].map((program) => {
    const heap = new Heap(program !== null), product = program ? simdProduct(heap, program) : plainProduct(heap);
    const [out, a, b, rows] = [m * n, m * k, k * n, m].map((size) => heap.alloc(size));
    heap.f32.fill(1, out, out + m * n);
    heap.f32.set(arg.slice(0, m * k), a);
    heap.f32.set(arg.slice(m * k), b);
    heap.i32.set(Array.from({ length: m }, (_, i) => i), rows);
    product(out, a, rows, b, m, n, 1, k, k);
    return [...heap.f32.slice(out, out + m * n)];
  });
})()"""


def test_the_two_kernels_and_plain_javascript_give_one_product(page: Page) -> None:
    a, b = torch.randn(8, 12, generator=generator(0)), torch.randn(12, 16, generator=generator(1))
    panels = b.reshape(12, 2, 8).transpose(0, 1)  # eight columns side by side
    products = torch.tensor(in_page(page, PRODUCTS, [*a.flatten().tolist(), *panels.flatten().tolist()]))
    assert len(products) == 3
    for product in products:
        close(product.reshape(8, 16), 1 + a @ b, 1e-5)


CONVOLUTION = """(() => {
  const [n, h, w, c, outs] = [2, 5, 6, 8, 16];
  return [false, true].map((plain) => {
    const { heap, product, silu } = fastestProduct(plain), tiles = plain ? plainTiles(heap) : simdTiles(heap);
    const filters = packFilters(heap, outs, c, Float32Array.from(arg.filters));
    const m = tilesOf({ n, h, w }), rows = heap.alloc(m), out = heap.alloc(n * h * w * outs);
    const at = heap.zeros(n * pitch(h) * pitch(w) * c);
    heap.i32.set(Array.from({ length: m }, (_, i) => i), rows);
    for (let row = 0; row < n * h; row++) {
      const line = Math.floor(row / h) * pitch(h) + (row % h) + 1;
      heap.f32.set(arg.x.slice(row * w * c, (row + 1) * w * c), at + (line * pitch(w) + 1) * c);
    }
    heap.f32.fill(1, out, out + n * h * w * outs);
    winograd({ heap, product, tiles }, out, { at, n, h, w, c }, filters, outs, rows);
    return [...heap.f32.slice(out, out + n * h * w * outs)];
  });
})()"""


def test_winograds_convolution_is_the_convolution_on_sides_that_no_tile_fills(page: Page) -> None:
    x, filters = (
        torch.randn(2, 8, 5, 6, generator=generator(0)),
        torch.randn(16, 8, 3, 3, generator=generator(1)),
    )
    expected = 1 + torch.nn.functional.conv2d(x, filters, padding=1)
    arg = {"x": x.permute(0, 2, 3, 1).flatten().tolist(), "filters": filters.flatten().tolist()}
    for found in in_page(page, CONVOLUTION, arg):
        close(torch.tensor(found).reshape(2, 5, 6, 16).permute(0, 3, 1, 2), expected, 1e-4)


SILU = """(() => {
  const { heap, silu } = fastestProduct(), pixels = arg.length / 8;
  const [out, x, scale, shift, constants] = [arg.length, arg.length, 8, 8, 10].map((n) => heap.alloc(n));
  heap.f32.set(arg, x);
  heap.f32.set([1, 2, 1, 1, 0.5, 1, 1, -1], scale);
  heap.f32.set([0, 0, 1, 0, 0, -3, 0, 0], shift);
  heap.f32.set(CONSTANTS, constants);
  silu(out, x, pixels, 8, scale, shift, constants);
  return [...heap.f32.slice(out, out + arg.length)];
})()"""


def test_the_activation_in_webassembly_is_that_of_torch(page: Page) -> None:
    x = torch.cat([torch.linspace(-30, 30, 4000), torch.tensor([0, 1e-8, -86, 86, -90, 90, -1e4, 1e4])])
    v = x.reshape(-1, 8) * torch.tensor([1, 2, 1, 1, 0.5, 1, 1, -1]) + torch.tensor([0, 0, 1, 0, 0, -3, 0, 0])
    found = torch.tensor(in_page(page, SILU, x.tolist())).reshape(-1, 8)
    assert bool(((found - torch.nn.functional.silu(v)).abs() <= 1e-6 * (1 + v.abs())).all())


def test_the_times_are_those_of_the_library(page: Page) -> None:
    rng = random.Random(0)
    pairs = [[T, steps] for T in (1, 2, 5, 10, 50) for steps in range(1, T + 1)]
    pairs += [[T, rng.randint(1, T)] for T in (100, 250, 500, 1000, 4000) for _ in range(40)]
    got = in_page(page, "arg.map(([T, steps]) => timesteps(T, steps))", pairs)
    assert got == [timesteps(T, steps) for T, steps in pairs]


STREAM = (
    "(([seed, sizes]) => { const r = new Normal(seed); return sizes.flatMap((n) => [...r.draw(n)]); })(arg)"
)


@pytest.mark.parametrize("seed", [0, 1, 123_456_789, 2**32 - 1, 2**32 + 5])
def test_the_random_bits_are_those_of_the_mersenne_twister(page: Page, seed: int) -> None:
    script = "(() => { const r = new Normal(arg); return Array.from({ length: 1300 }, () => r.bits()); })()"
    expected = np.random.RandomState(seed % 2**32).randint(0, 2**32, 1300, np.uint32)
    assert in_page(page, script, seed) == expected.tolist()


@pytest.mark.parametrize("seed", [0, 7, 123_456_789, 2**32 - 1, 2**32 + 5])
def test_the_draws_are_those_of_torch(page: Page, seed: int) -> None:
    # One stream: images, what does not fill a block of sixteen, and single draws with their spares.
    sizes = [784, 784, 5, 23, 16, 3, 31, 1, 2, 784, 15, 10_000]
    rng = generator(seed)
    expected = torch.cat([torch.randn(n, generator=rng) for n in sizes])
    close(torch.tensor(in_page(page, STREAM, [seed, sizes])), expected, 2e-6)


def test_the_same_seed_draws_the_same_digit_in_the_page_and_in_python(
    page: Page, digits: dict[str, Any]
) -> None:
    checkpoint, engine = checkpoint_of(digits), Engine(page)
    engine.load(digits)
    seeds, y = range(7, 27), torch.arange(20) % 10
    for name, eta, w in [("ddim", 0.0, 0.0), ("ddim", 0.7, 0.5), ("ddpm", 0.0, 0.0), ("ddpm", 0.0, 0.5)]:
        run = {"sampler": name, "eta": eta, "w": w, "steps": 3}
        states = engine.run(n=20, seed=seeds[0], labels=y.tolist(), **run)
        network, step = with_guidance(checkpoint.network(), w), step_of(name, eta)
        shape = checkpoint.about.shape
        (expected,) = generate(network, checkpoint.diffusion, shape, seeds, y=y, step=step, steps=3)
        assert expected.std(0).mean() > 0.2  # twenty pictures, not one
        close(last(states, expected), expected, 1e-3)


def test_the_draws_are_standard_normal(page: Page) -> None:
    z = torch.tensor(in_page(page, "[...new Normal(5).draw(100_001)]"), dtype=torch.float64)
    n = len(z)
    for power, moment, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        assert abs(z.pow(power).mean() - moment) < 5 * math.sqrt(variance / n), power
    assert abs((z[1:] * z[:-1]).mean()) < 5 / math.sqrt(n)


def test_a_picture_does_not_depend_on_its_company(page: Page, tiny: dict[str, Any]) -> None:
    engine = Engine(page)
    engine.load(tiny)
    three = last(engine.run(n=3, labels=[0, 1, 2], seed=5, eta=1.0, w=0.5), torch.zeros(3, 64))
    alone = last(engine.run(labels=[2], seed=7, eta=1.0, w=0.5), torch.zeros(1, 64))
    again = last(engine.run(labels=[2], seed=7, eta=1.0, w=0.5), torch.zeros(1, 64))
    other = last(engine.run(labels=[2], seed=8, eta=1.0, w=0.5), torch.zeros(1, 64))
    assert torch.equal(three[2], alone[0])
    assert torch.equal(alone, again)
    assert not torch.equal(alone, other)


def test_what_the_mask_keeps_is_the_known_picture_at_the_noise_of_each_time(
    page: Page, tiny: dict[str, Any]
) -> None:
    checkpoint, engine = checkpoint_of(tiny), Engine(page)
    engine.load(tiny)
    mask, known = torch.zeros(8, 8), torch.rand(1, 8, 8, generator=generator(1)) * 2 - 1
    mask[:4] = 1
    run = recorded(checkpoint, labels=[0], eta=0.5) | {"from": 31}
    free = engine.run(**run)
    kept = engine.run(**run, mask=mask, known=known)
    assert [state["t"] for state in kept] == timesteps(31, 4)
    for state, z in zip(kept[1:], run["noise"], strict=True):
        expected = checkpoint.diffusion.q_sample(known[None], state["t"], z)
        close(last([state], z)[:, :, :4], expected[:, :, :4], 1e-5)
    assert torch.equal(last(kept, known)[:, :4], known[:, :4])
    assert not torch.allclose(last(kept, known)[:, 4:], last(free, known)[:, 4:])


# -- the protocol --------------------------------------------------------------------------------------------------


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


def damaged(weights: dict[str, Any], damage: str) -> dict[str, Any]:
    weights = copy.deepcopy(weights)
    match damage:
        case "flipped":
            weights["data"] = ("B" if weights["data"][0] == "A" else "A") + weights["data"][1:]
        case "truncated":
            weights["data"] = weights["data"][:400]
        case "not base64":
            weights["data"] = weights["data"][:-5] + "?????"
        case "missing layer":
            weights["tensors"] = [e for e in weights["tensors"] if e["name"] != "last.2.bias"]
        case "unknown layer":
            weights["tensors"].append(weights["tensors"][0] | {"name": "extra.weight"})
        case "other network":
            weights["config"]["base"] = 16
        case "other format":
            weights["format"] = "ddpm_lib/web/2"
    return weights


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


# -- the file of weights -------------------------------------------------------------------------------------------


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

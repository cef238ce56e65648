"""The engine's parts: products, activation, times, random numbers and masks are those of the library."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.evaluate.generate import generate, with_guidance
from ddpm_lib.evaluate.generate import sampler as step_of
from ddpm_lib.sampling import timesteps
from ddpm_lib.web.export import checkpoint_of
from ddpm_lib.web.worker_source import CORE, without_comments
from tests.chapters import ROOT
from tests.engine import digits as digits
from tests.engine import last, recorded
from tests.engine import tiny as tiny
from tests.helpers import close, generator
from tests.worker_page import Engine, asked


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


def test_the_program_that_the_chapter_writes_by_hand_adds_and_multiplies(page: Page) -> None:
    chapter = json.loads((ROOT / "book" / "javascript.ipynb").read_text(encoding="utf-8"))
    text = next("".join(cell["source"]) for cell in chapter["cells"] if cell["id"] == "js-assembler")
    program = text.split("```javascript\n")[1].split("```")[0]
    assert page.evaluate(program) == 42
    assert page.evaluate(program.replace("106,", "108,")) == 80

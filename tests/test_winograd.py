"""Winograd's convolution is the convolution: its values, gradients and multiplications, and where it stands back."""

from __future__ import annotations

import copy
import io
import warnings
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.data import Batches, ImageData, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig, use_winograd, winograd
from ddpm_lib.models.winograd import WinogradConv2d, winograd_conv3x3, winograd_widths
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train

SIZES = st.integers(1, 10)
WIDTHS = st.integers(1, 5)
NETWORK = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=4, activation="silu")


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.equation("eq-winograd")
@given(b=st.integers(1, 7), c_in=WIDTHS, c_out=WIDTHS, h=SIZES, w=SIZES, together=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_values_and_gradients_are_those_of_conv2d_for_any_size(b, c_in, c_out, h, w, together):
    inputs = [random(b, c_in, h, w), random(c_out, c_in, 3, 3, seed=1), random(c_out, seed=2)]
    for tensor in inputs:
        tensor.requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            winograd, "TOGETHER", together
        )  # so that a batch is cut into pieces, the last one smaller
        ours = winograd_conv3x3(*inputs)
        theirs = F.conv2d(*inputs, padding=1)
        assert ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, atol=1e-11)
        g = random(*theirs.shape, seed=3)
        for got, expected in zip(
            torch.autograd.grad(ours, inputs, g), torch.autograd.grad(theirs, inputs, g), strict=True
        ):
            assert torch.allclose(got, expected, atol=1e-11)


def test_in_float32_it_errs_by_a_hundred_thousandth_of_the_largest_value():
    x, weight, bias = random(4, 96, 14, 14), random(96, 96, 3, 3, seed=1), random(96, seed=2)
    exact = F.conv2d(x, weight, bias, padding=1)
    error = (winograd_conv3x3(x.float(), weight.float(), bias.float()) - exact).abs().max()
    assert error < 1.5e-5 * exact.abs().max()
    assert error > 0


def test_it_takes_a_quarter_of_the_multiplications_besides_the_transforms():
    x, weight, bias = random(2, 32, 16, 16), random(32, 32, 3, 3), random(32)

    def counted(do) -> dict[str, int]:
        with FlopCounterMode(display=False) as counter:
            do()
        return {str(op): n for op, n in counter.get_flop_counts()["Global"].items()}

    direct = counted(lambda: F.conv2d(x, weight, bias, padding=1))["aten.convolution"]
    ours = counted(lambda: winograd_conv3x3(x, weight, bias))
    assert 4 * ours["aten.bmm"] == direct


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_any_memory_layout_will_do_and_channels_last_comes_out(layout):
    x = random(3, 4, 8, 12).contiguous(memory_format=layout).requires_grad_()
    weight, bias = random(6, 4, 3, 3, seed=1), random(6, seed=2)
    y = winograd_conv3x3(x, weight, bias)
    assert y.is_contiguous(memory_format=torch.channels_last)
    expected = F.conv2d(x, weight, bias, padding=1)
    assert torch.allclose(y, expected, atol=1e-11)
    g = random(*y.shape, seed=3).contiguous(memory_format=layout)
    got, wanted = (torch.autograd.grad(out, x, g)[0] for out in (y, expected))
    assert torch.allclose(got, wanted, atol=1e-11)


def test_only_what_asks_for_a_gradient_gets_one():
    x, weight, bias = random(2, 3, 8, 8).requires_grad_(), random(3, 3, 3, 3), random(3)
    got = torch.autograd.grad(winograd_conv3x3(x, weight, bias).sum(), x)[
        0
    ]  # guidance: the weights are frozen
    assert torch.allclose(got, torch.autograd.grad(F.conv2d(x, weight, bias, padding=1).sum(), x)[0])
    x, weight = x.detach(), weight.requires_grad_()
    got = torch.autograd.grad(winograd_conv3x3(x, weight, bias).sum(), weight)[0]  # a first layer
    assert torch.allclose(got, torch.autograd.grad(F.conv2d(x, weight, bias, padding=1).sum(), weight)[0])
    with torch.no_grad():
        assert not winograd_conv3x3(x, weight, bias).requires_grad


def test_a_network_uses_it_in_the_layers_that_are_wide_enough():
    model = UNet(NETWORK)
    widths = winograd_widths(model)
    assert set(widths) == {1, 8, 16}
    assert widths.count(1) == 2  # the first and the last, of an image of one channel
    before = dict(model.named_parameters())
    for channels in (0, 1, 8, 9, 16, 17, 0):
        use_winograd(model, channels)
        layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
        fast = [m for m in layers if type(m) is WinogradConv2d]
        assert len(fast) == sum(0 < channels <= width for width in widths)
        assert all(min(m.in_channels, m.out_channels) >= channels for m in fast)
        assert all(m.kernel_size == (3, 3) and m.stride == (1, 1) for m in fast)
        assert {type(m) for m in layers} <= {nn.Conv2d, WinogradConv2d}
        assert winograd_widths(model) == widths
        after = dict(model.named_parameters())
        assert list(after) == list(before)
        assert all(after[name] is before[name] for name in before)  # shared: an optimizer need not know


@pytest.mark.parametrize(
    "options",
    [{"stride": 2}, {"dilation": 2, "padding": 2}, {"padding": 0}, {"groups": 4}, {"bias": False}],
    ids=str,
)
def test_other_convolutions_and_those_of_other_classes_are_left_alone(options):
    class Own(nn.Conv2d):
        pass

    network = nn.Sequential(
        nn.Conv2d(8, 8, 3, **{"padding": 1} | options), nn.Conv2d(8, 8, 1), Own(8, 8, 3, padding=1)
    )
    use_winograd(network, 1)
    assert [type(layer) for layer in network] == [nn.Conv2d, nn.Conv2d, Own]


def test_a_copy_and_a_loaded_state_keep_the_algorithm_and_the_weights():
    model = UNet(NETWORK)
    plain = copy.deepcopy(model)
    use_winograd(model, 8)
    other = copy.deepcopy(model)
    other.load_state_dict(plain.state_dict())
    assert [type(m) for m in other.modules()] == [type(m) for m in model.modules()]
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), plain.parameters(), strict=True))
    assert not {id(p) for p in other.parameters()} & {id(p) for p in model.parameters()}


@pytest.fixture
def calls(monkeypatch):
    """How often a layer computed by Winograd's algorithm."""
    made = []

    def spy(*args):
        made.append(args)
        return winograd_conv3x3(*args)

    monkeypatch.setattr(winograd, "winograd_conv3x3", spy)
    return made


def test_the_network_computes_the_same_by_either(calls):
    torch.manual_seed(0)
    model = UNet(NETWORK)
    for p in model.parameters():  # the zero layers too
        nn.init.normal_(p, std=0.2)
    other = copy.deepcopy(model)
    use_winograd(other, 1)
    x, t = random(3, 1, 12, 12, dtype=torch.float32), torch.tensor([1, 5, 9])
    ours, theirs = other(x, t), model(x, t)
    assert len(calls) == len(winograd_widths(model)) > 5
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().abs().max()))
    ours.square().mean().backward()
    theirs.square().mean().backward()
    for a, b in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-4 * float(b.grad.abs().max()))


def test_it_stands_back_under_autocast_and_in_a_network_that_is_compiled_or_exported(calls, monkeypatch):
    layer = nn.Conv2d(8, 8, 3, padding=1)
    use_winograd(layer, 8)
    x = random(2, 8, 8, 8, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    with monkeypatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: True)
        layer(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's older exporter, which the course uses
        torch.onnx.export(layer, (x,), io.BytesIO(), dynamo=False)
    assert not calls
    layer(x)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def digits() -> ImageData:
    """As few as a batch."""
    return mnist(train=False).head(16)


SHORT = TrainConfig(steps=12, batch=16, lr=1e-3, every=3)


def losses(digits, machine: Machine) -> tuple[list[float], nn.Module]:
    torch.manual_seed(0)
    model = UNet(NETWORK)
    run = train(model, GaussianDiffusion(linear_schedule(50)), Batches(digits, 16), SHORT, machine=machine)
    *_, last = (progress := list(run))
    return [p.loss for p in progress], last.state.ema.average


def test_training_by_it_is_training(digits, calls):
    machine = Machine(channels_last=True)
    plain, _ = losses(digits, machine)
    assert not calls
    fast, average = losses(digits, replace(machine, winograd=8))
    wide = sum(width >= 8 for width in winograd_widths(average))
    assert len(calls) == 12 * wide
    assert fast == pytest.approx(plain, rel=1e-4)
    assert fast == losses(digits, replace(machine, winograd=8))[0]  # to the bit
    made = len(calls)
    with torch.no_grad():
        average(torch.zeros(1, 1, 28, 28), torch.ones(1, dtype=torch.int64))
    assert len(calls) - made == wide  # samples during the run are drawn by it too

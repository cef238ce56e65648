"""Winograd's convolution is the convolution: its values, gradients and multiplications, and where it stands back."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models import UNet, use_winograd, winograd
from ddpm_lib.models.winograd import WinogradConv2d, winograd_conv3x3, winograd_widths
from tests.wide_layers import NETWORK, random

SIZES = st.integers(1, 10)
WIDTHS = st.integers(1, 5)


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

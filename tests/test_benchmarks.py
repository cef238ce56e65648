"""What the benchmarks compare is comparable, and their bookkeeping is right; no time is asserted."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu_log, latents, peers, profile, reach, rows, timing
from benchmarks.memory import peak
from benchmarks.networks import BUILD, LIBRARIES, SHAPE, SIZES, forward_flops, parameters
from ddpm_lib.assets.measured import FOLDER as MEASURED
from ddpm_lib.data.phrases import PHRASES, UNSEEN
from ddpm_lib.models.blocks import Attention


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_the_networks_of_a_size_are_matched_within_five_per_cent(size, library):
    with torch.device("meta"):
        ours, theirs = BUILD["ours"](SIZES[size]), BUILD[library](SIZES[size])
    assert parameters(theirs) == pytest.approx(parameters(ours), rel=0.05)
    assert forward_flops(theirs) == pytest.approx(forward_flops(ours), rel=0.05)


def test_a_size_is_called_what_it_is():
    for name, size in SIZES.items():
        with torch.device("meta"):
            n = parameters(BUILD["ours"](size))
        assert n / 1e6 == pytest.approx(float(name.split()[0]), rel=0.07)


def test_the_engineering_notes_name_what_is_not_alike():
    assert (reach.LR, reach.WARMUP, max(reach.TIMES["ours"])) == (1e-3, 20, 160)
    assert [name for name, size in SIZES.items() if not size.config.groups] == ["13.8 M"]


def test_flops_are_those_that_a_convolution_and_a_product_take():
    with torch.device("meta"):
        network = BUILD["ours"](SIZES["0.3 M"])
        first = network.first
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        first(torch.zeros(1, *SHAPE, device="meta"))
    assert counter.get_total_flops() == 2 * 28 * 28 * 9 * 1 * 28
    assert forward_flops(network, 56) > 3.9 * forward_flops(network, 28)  # four times the pixels


def test_arms_are_called_in_turn_and_the_warm_up_is_not_counted():
    calls = []
    arms = {name: lambda name=name: calls.append(name) for name in "abc"}
    times = timing.interleave(arms, rounds=3)
    assert [len(values) for values in times.values()] == [3, 3, 3]
    rounds = [calls[i : i + 3] for i in range(0, 12, 3)]
    assert all(sorted(round_) == ["a", "b", "c"] for round_ in rounds)
    assert len({round_[0] for round_ in rounds}) == 3  # each comes first at times


def test_a_ratio_is_taken_within_a_round_against_the_better_peer():
    times = {"ours": [1.0, 2.0, 4.0], "diffusers": [2.0, 4.0, 8.0], "lucidrains": [9.0, 9.0, 9.0]}
    row = peers.compared(times)
    assert (row["ratio"], row["spread"]) == (2.0, [2.0, 2.0])
    assert (row["ours"], row["diffusers"], row["lucidrains"]) == (2000.0, 4000.0, 9000.0)


def test_the_table_is_written_row_by_row_and_gone_on_with_on_request(tmp_path):
    out, head = tmp_path / "table.json", {"what": "squares"}
    asked = []

    def measure(key):
        asked.append(key["n"])
        if key["n"] == 3:
            raise KeyboardInterrupt
        return {"square": key["n"] ** 2}

    with pytest.raises(KeyboardInterrupt):
        rows.fill(out, head, [{"n": n} for n in (1, 2, 3)], measure)
    assert json.loads(out.read_text())["rows"] == [{"n": 1, "square": 1}, {"n": 2, "square": 4}]
    rows.fill(out, head, [{"n": n} for n in (1, 2, 4)], measure, resume=True)
    assert asked == [1, 2, 3, 4]
    rows.fill(out, {"what": "other"}, [{"n": 1}], measure, resume=True)  # another head: begun anew
    assert asked == [1, 2, 3, 4, 1]
    rows.fill(out, {"what": "other"}, [{"n": 1}], measure)
    assert asked == [1, 2, 3, 4, 1, 1]


def test_the_footprint_sees_what_was_held_and_given_back():
    before = peak()
    block = torch.ones(int((before + 64) * 2**20 / 4))  # more than was ever held, so that the peak must move
    del block
    assert peak() > before + 32


def test_a_profile_s_attention_before_is_the_same_layer():
    torch.manual_seed(0)
    layer = Attention(8, 2, 1)
    torch.nn.init.normal_(layer.out.weight)
    x = torch.randn(2, 8, 6, 6)
    after = layer(x)
    layer.__class__ = profile.WrittenOut
    assert torch.allclose(layer(x), after, atol=1e-5)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("aten::mkldnn_convolution", "convolution, forward"),
        ("aten::convolution_backward", "convolution, backward"),
        ("aten::bmm", "matrix products"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", "attention"),
        ("aten::native_group_norm_backward", "norm"),
        ("aten::silu_backward", "activation"),
        ("aten::cat", "sums and copies"),
        ("aten::empty", "the rest"),
    ],
)
def test_operations_are_of_a_kind(operation, kind):
    assert profile.kind(operation) == kind


def test_what_a_gpu_took_is_read_off_its_logs(tmp_path):
    logs = sorted((Path(gpu_log.__file__).parent / "results").glob("gpu-log-*.txt"))
    assert gpu_log.main([*map(str, logs), "--out", str(tmp_path / "steps.json")]) == 0
    assert (tmp_path / "steps.json").read_text() == gpu_log.RESULT.read_text()


def test_a_network_of_words_trains_on_digits_that_fit_and_on_no_unseen_phrase():
    y = torch.arange(200) % 10
    z = y.float().reshape(-1, 1, 1, 1)  # the latent says which digit it is
    batches, names = latents.by_phrase(z, y), list(PHRASES)
    for step in range(40):
        some, phrase = batches(step)
        assert len(some) == latents.BATCH
        for value, number in zip(some.flatten().tolist(), phrase.tolist(), strict=True):
            assert names[number] not in UNSEEN
            assert value in PHRASES[names[number]]


def test_a_result_is_written_with_its_figures_on_one_line_and_read_back_the_same():
    result = {
        "what": "a b",
        "empty": [],
        "rows": [{"n": 1, "by_t": [0.5, 2]}, {"n": 2, "counts": {"one": [1, 2]}}],
    }
    text = rows.compact(result)
    assert json.loads(text) == result
    assert '    "one": [1, 2]\n' in text
    assert text.count("\n") == 15
    for file in MEASURED.glob("*.json"):
        assert file.read_text(encoding="utf-8").count("\n") < 1000

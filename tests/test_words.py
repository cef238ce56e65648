"""A network that is told in words: cross-attention, phrases, and what they mean."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ddpm_lib.data.phrases import EVERY, NAMES, PHRASES, UNSEEN
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import (
    Words,
    WordsConfig,
    build,
    classes_of,
)
from ddpm_lib.models.words import LONGEST, NOTHING, CrossAttention, tokenize
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import TrainConfig, train
from tests.awake import SMALL_WORDS, awake, close, normal


@pytest.mark.equation("eq-cross-attention")
def test_cross_attention_is_its_formula_head_by_head():
    torch.manual_seed(0)
    layer = awake(CrossAttention(8, 6, heads=2, groups=0))
    x, words = normal(3, 8, 2, 5), normal(3, 4, 6, seed=1)
    there = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    read = torch.zeros(3, 8, 10)
    for i in range(3):
        q = layer.query(x)[i].flatten(1).T
        k, v = (
            layer.key(words)[i, there[i]],
            layer.value(words)[i, there[i]],
        )  # the words that are there, alone
        for head in (slice(0, 4), slice(4, 8)):
            read[i, head] = ((q[:, head] @ k[:, head].T / math.sqrt(4)).softmax(dim=1) @ v[:, head]).T
    close(layer(x, words, there), x + layer.out(read.reshape(3, 8, 2, 5)))
    weights = layer.weights(x, words, there)
    close(weights.sum(-1), torch.ones(3, 2, 10))
    assert float(weights[1, ..., 2:].detach().max()) == 0


def test_cross_attention_begins_as_the_identity_and_refuses_odd_heads():
    x = normal(2, 6, 3, 3)
    layer = CrossAttention(6, 4, heads=2, groups=1)
    assert torch.equal(layer(x, normal(2, 3, 4), torch.ones(2, 3, dtype=torch.bool)), x)
    with pytest.raises(ValueError, match="cannot be split into 4 heads"):
        CrossAttention(6, 4, heads=4, groups=1)


def test_words_are_numbered_and_short_phrases_filled_up():
    assert SMALL_WORDS.vocabulary == ("", NOTHING, "not", "one", "or", "two")
    assert tokenize(SMALL_WORDS).tolist() == [[3, 0, 0], [3, 4, 5], [2, 5, 0], [1, 0, 0]]
    assert classes_of(SMALL_WORDS) == 3
    for phrase in ("", "word " * (LONGEST + 1)):
        with pytest.raises(ValueError, match="A phrase has 1 to 16 words"):
            tokenize(WordsConfig(("one", phrase)))


def test_a_denoiser_reads_words_their_order_and_the_time():
    net = awake(build(WordsConfig(("one or two", "two or one", "one"), base=8, blocks=2, heads=2)))
    x, t = normal(1, 4, 7, 7), torch.tensor([5])
    answers = [net(x, t, torch.tensor([i])) for i in range(4)]
    close(net(x, t), answers[3])
    assert all(float((a - b).detach().abs().max()) > 1e-4 for i, a in enumerate(answers) for b in answers[:i])
    assert not torch.allclose(net(x, t), net(x, t + 1))
    seen = net.attention(x, t, torch.tensor([2]))
    assert seen.shape == (2, 1, 2, 49, 3)
    close(seen[..., 0], torch.ones(2, 1, 2, 49))  # one word: all read it
    with pytest.raises(ValueError, match="There is no class 5"):
        net(x, t, torch.tensor([5]))


def test_more_filling_changes_nothing():
    net = awake(build(SMALL_WORDS))
    x, t, y = normal(2, 4, 7, 7), torch.tensor([5, 6]), torch.tensor([0, 2])
    before = net(x, t, y)
    net.table = F.pad(net.table, (0, 2))
    net.place = torch.nn.Parameter(F.pad(net.place.data, (0, 0, 0, 2), value=7.0))
    close(net(x, t, y), before)


def test_a_network_of_words_learns_which_phrase_means_which_image():
    torch.manual_seed(0)
    config = WordsConfig(("up", "down"), channels=1, base=8, blocks=1, heads=2)
    diffusion, net = GaussianDiffusion(cosine_schedule(8)), Words(config)
    y = torch.arange(8) % 2
    x0 = (1 - 2.0 * y)[:, None, None, None].expand(8, 1, 4, 4)
    recipe = TrainConfig(steps=60, batch=8, lr=1e-2, ema=0.8, label_drop=0.0, every=60)
    *_, end = train(net, diffusion, lambda step: (x0, y), recipe)
    at_noise = end.state.ema.average(normal(8, 1, 4, 4), torch.full((8,), 8), y)
    assert bool((at_noise.mean((1, 2, 3)).sign() == x0[:, 0, 0, 0]).all())


MEANS = {"less": lambda d, n: d < n, "larger": lambda d, n: d > n, "not": lambda d, n: d != n}


@given(st.sampled_from(sorted(PHRASES)), st.integers(0, 9))
def test_a_phrase_means_what_it_says(phrase, digit):
    words = phrase.split()
    names = [NAMES.index(word) for word in words if word in NAMES]
    fits = digit in names if words[0] in NAMES else True
    for word, means in MEANS.items():
        if word in words:
            fits = fits and means(digit, names[0])
    if "even" in words or "odd" in words:
        fits = fits and digit % 2 == ("odd" in words)
    assert (digit in PHRASES[phrase]) == fits


def test_what_is_unseen_is_made_of_words_that_are_seen():
    assert all(PHRASES.values())
    assert EVERY not in PHRASES.values()
    assert set(UNSEEN) < set(PHRASES)
    seen = {word for phrase in PHRASES if phrase not in UNSEEN for word in phrase.split()}
    assert {word for phrase in UNSEEN for word in phrase.split()} <= seen
    assert 10 < len(UNSEEN) < len(PHRASES) / 5

"""The networks of "Where it goes": an autoencoder, a diffusion transformer, and a denoiser that is told in words."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ddpm_lib.assets.latent import FOLDER, load_autoencoder, load_latent, save_autoencoder
from ddpm_lib.assets.measured import measured
from ddpm_lib.data import mnist
from ddpm_lib.data.phrases import EVERY, NAMES, PHRASES, UNSEEN
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last, with_guidance
from ddpm_lib.guidance import Guided
from ddpm_lib.models import (
    Autoencoder,
    AutoencoderConfig,
    DiT,
    DiTConfig,
    Words,
    WordsConfig,
    build,
    classes_of,
)
from ddpm_lib.models.autoencoder import autoencoder_loss
from ddpm_lib.models.dit import DiTBlock, modulate, positions
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained, export_weights, load_trained
from ddpm_lib.models.words import LONGEST, NOTHING, CrossAttention, tokenize
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import TrainConfig, train
from tests import helpers
from tests.helpers import generator

SMALL_DIT = DiTConfig(width=16, blocks=2, heads=2, classes=3)
SMALL_WORDS = WordsConfig(("one", "one or two", "not two"), base=8, blocks=2, heads=2)


def close(a, b):
    helpers.close(a, b, 1e-5)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


def awake(network):
    """The network, its zero-initialised layers filled as after some training."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


# -- the autoencoder -----------------------------------------------------------------------------------------


@pytest.mark.equation("eq-latent")
def test_a_latent_is_the_mean_in_units_of_its_standard_deviation():
    torch.manual_seed(0)
    plain = Autoencoder(AutoencoderConfig(base=4, latent=3))
    scaled = Autoencoder(AutoencoderConfig(base=4, latent=3, scale=2.5))
    scaled.load_state_dict(plain.state_dict())
    x = normal(5, 1, 28, 28)
    assert scaled.encode(x).shape == (5, 3, 7, 7)
    close(scaled.encode(x), plain.moments(x)[0] / 2.5)
    close(scaled.decode(scaled.encode(x)), plain.decode(plain.encode(x)))


@pytest.mark.equation("eq-autoencoder")
def test_the_loss_is_the_error_of_a_drawn_latent_and_its_divergence():
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderConfig(base=4))
    x, noise = normal(3, 1, 28, 28), normal(3, 4, 7, 7, seed=1)
    mean, log_variance = model.moments(x)
    error, divergence = autoencoder_loss(model, x, noise, weight=0.5)
    close(error, F.mse_loss(model.decoder(mean + (log_variance / 2).exp() * noise), x))
    by_hand = (mean**2 + log_variance.exp() - 1 - log_variance) / 2
    close(divergence, 0.5 * by_hand.mean())


def test_an_autoencoder_learns_a_few_images_by_heart():
    torch.manual_seed(0)
    model = Autoencoder(AutoencoderConfig(base=8))
    x = F.interpolate(normal(4, 1, 4, 4).sign(), size=(28, 28))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for _ in range(30):
        error, divergence = autoencoder_loss(model, x, torch.zeros(4, 4, 7, 7), weight=0.0)
        optimizer.zero_grad()
        (error + divergence).backward()
        optimizer.step()
        losses.append(float(error.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_a_setting_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="AutoencoderConfig cannot have latent"):
        AutoencoderConfig(latent=-1)


# -- the diffusion transformer -------------------------------------------------------------------------------


@pytest.mark.equation("eq-adaln")
def test_a_block_is_its_formula_and_begins_as_the_identity():
    torch.manual_seed(0)
    block = DiTBlock(8, heads=2)
    h, c = normal(3, 5, 8), normal(3, 8, seed=1)
    close(block(h, c), h)
    awake(block)
    parts = F.linear(F.silu(c), block.modulation[1].weight, block.modulation[1].bias)[:, None].split(
        8, dim=-1
    )
    shift1, scale1, gate1, shift2, scale2, gate2 = parts
    norm = lambda x: F.layer_norm(x, (8,))  # noqa: E731
    middle = h + gate1 * block.attend((1 + scale1) * norm(h) + shift1)
    close(block(h, c), middle + gate2 * block.mlp((1 + scale2) * norm(middle) + shift2))
    close(modulate(h, shift1 * 0, scale1 * 0), h)


def test_its_attention_is_that_of_torch():
    torch.manual_seed(0)
    block, theirs = DiTBlock(8, heads=2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": block.qkv.weight, "in_proj_bias": block.qkv.bias,
            "out_proj.weight": block.out.weight, "out_proj.bias": block.out.bias,
        }
    )  # fmt: skip
    h = normal(3, 5, 8)
    close(block.attend(h), theirs(h, h, h)[0])


def test_positions_tell_every_patch_from_every_other():
    at = positions(7, 5, 16)
    assert at.shape == (35, 16)
    assert float(torch.pdist(at).min()) > 0.1
    close(at[0:5, :8], at[0:1, :8].expand(5, 8))  # one row: only the column differs


def test_a_token_reads_only_its_patch_where_no_block_mixes_them():
    net = awake(DiT(DiTConfig(channels=1, patch=2, width=16, heads=2, classes=0, blocks=0)))
    x, t = normal(1, 1, 6, 6), torch.tensor([3])
    other = x.clone()
    other[..., 2:4, 4:6] += 1
    changed = (net(x, t) - net(other, t)).abs()[0, 0] > 1e-6
    assert changed[2:4, 4:6].all()
    assert int(changed.sum()) == 4


def test_a_dit_reads_time_and_class_and_refuses_what_does_not_fit():
    net = awake(build(SMALL_DIT))
    x, t = normal(2, 4, 7, 7), torch.tensor([1, 9])
    null = torch.tensor([3, 3])
    close(net(x, t), net(x, t, null))
    assert not torch.allclose(net(x, t), net(x, t, null - 1))
    assert not torch.allclose(net(x, t), net(x, t + 1))
    with pytest.raises(ValueError, match="reads 4 channels in patches of 1 x 1"):
        net(x[:, :1], t)
    with pytest.raises(ValueError, match="There is no class 4"):
        net(x, t, null + 1)
    with pytest.raises(ValueError, match="cannot be split into 3 heads"):
        DiT(DiTConfig(width=16, heads=3))
    with pytest.raises(ValueError, match="built without classes"):
        DiT(DiTConfig(width=16, classes=0))(x, t, null)


# -- words ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("config", [SMALL_DIT, SMALL_WORDS], ids=["dit", "words"])
def test_the_loop_guidance_the_sampler_and_the_file_take_the_new_networks(config, tmp_path):
    diffusion = GaussianDiffusion(cosine_schedule(8))
    net = build(config)
    z, y = normal(6, 4, 7, 7), torch.arange(6) % 3
    *_, end = train(net, diffusion, lambda step: (z, y), TrainConfig(steps=3, batch=6, every=1))
    assert math.isfinite(end.loss)
    tensors = {f"ema.{name}": t for name, t in end.state.ema.average.state_dict().items()}
    kept = Trained(config, diffusion.schedule, About(shape=(4, 7, 7)), tensors)
    export_weights(tmp_path / "x.safetensors", kept)
    back = load_trained(tmp_path / "x.safetensors")
    assert back.model_config == config
    guided = with_guidance(back.network(), 0.5)
    assert isinstance(guided, Guided)
    assert guided.null == 3
    drawn = last(sample(guided, diffusion, (4, 7, 7), seeds=range(2), y=y[:2], steps=2, clip=False)).xt
    assert drawn.shape == (2, 4, 7, 7)
    close(back.network()(z, y + 1, y), end.state.ema.average(z, y + 1, y))


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


# -- phrases -------------------------------------------------------------------------------------------------

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


# -- what is shipped -----------------------------------------------------------------------------------------


def test_the_shipped_networks_fit_each_other_and_what_was_measured():
    files = list(FOLDER.glob("*.safetensors"))
    assert {file.stem for file in files} == {"autoencoder", "dit", "words"}
    assert sum(file.stat().st_size for file in files) < 2_000_000
    autoencoder, x = load_autoencoder(), mnist(train=False).x0(slice(0, 100))
    z = autoencoder.encode(x)
    assert 0.9 < float(z.std()) < 1.1
    assert float((autoencoder.decode(z).clamp(-1, 1) - x).square().mean()) < 0.01
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{sum(p.numel() for p in autoencoder.parameters()):,} parameters" in card
    for name in ("dit", "words"):
        assert f"{load_latent(name).step:,} steps" in card
        assert load_latent(name).about.shape == tuple(z.shape[1:])
    words, result = load_latent("words"), measured("where")
    assert words.model_config.phrases == words.about.classes == tuple(PHRASES)
    assert result["unseen"] == list(UNSEEN)
    for row in result["rows"]:
        assert row["arm"] != "words" or list(row["counts"]) == list(PHRASES)


def test_what_is_no_network_of_the_latent_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no denoiser of the latent 'unet': pass one of dit, words"):
        load_latent("unet")
    with pytest.raises(CheckpointError, match="holds no autoencoder"):
        load_autoencoder(FOLDER / "dit.safetensors")
    path, model = tmp_path / "x.safetensors", Autoencoder(AutoencoderConfig(base=4, scale=0.5))
    save_autoencoder(path, model, steps=3, seconds=1.0)
    assert load_autoencoder(path).config == model.config
    model.decoder[0].bias.data[0] = math.nan
    save_autoencoder(path, model, steps=3, seconds=1.0)
    with pytest.raises(CheckpointError, match="not finite"):
        load_autoencoder(path)

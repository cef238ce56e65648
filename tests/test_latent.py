"""The networks of a latent together: the loop, guidance, the sampler and files take them; what is shipped fits."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib.assets.latent import FOLDER, load_autoencoder, load_latent, save_autoencoder
from ddpm_lib.assets.measured import measured
from ddpm_lib.data import mnist
from ddpm_lib.data.phrases import PHRASES, UNSEEN
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last, with_guidance
from ddpm_lib.guidance import Guided
from ddpm_lib.models import (
    Autoencoder,
    AutoencoderConfig,
    build,
)
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained, export_weights, load_trained
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import TrainConfig, train
from tests.awake import SMALL_DIT, SMALL_WORDS, close, normal


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

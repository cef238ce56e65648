"""The loop of the samplers: Algorithm 2, gradients, labels, noise, and a list of times."""

from __future__ import annotations

import inspect

import pytest
import torch

from ddpm_lib.bound import step_term, terms
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import edit_from
from ddpm_lib.evaluate.generate import generate, last
from ddpm_lib.flow import heun_step
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import DDIM, Noise, State, ddim_step, ddpm_step, sample, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import close, normal
from tests.sampled import LINEAR, final, tiny_unet


def test_sample_is_algorithm_2_written_out():
    diffusion, net = GaussianDiffusion(linear_schedule(50)), tiny_unet()
    states = list(sample(net, diffusion, (1, 8, 8), seeds=[5, 6], steps=4))
    assert [state.t for state in states] == timesteps(50, 4)
    noise = Noise([5, 6], (1, 8, 8))
    x = noise()
    assert torch.equal(states[0].xt, x)
    assert states[0].x0_hat is None
    with torch.no_grad():
        for state, t, s in zip(states[1:], [50, 38, 25, 12], [38, 25, 12, 0], strict=True):
            eps_hat = net(x, torch.tensor([t, t]))
            x0_hat = diffusion.predict_x0(x, t, eps_hat).clamp(-1, 1)
            mean, variance = diffusion.q_posterior(x0_hat, x, t, s)
            x = mean + variance.sqrt() * noise()
            close(state.x0_hat, x0_hat, 1e-5)
            close(state.xt, x, 1e-5)


def test_clip_decides_whether_x0_hat_stays_in_the_image_range():
    diffusion, net = GaussianDiffusion(linear_schedule(50)), tiny_unet()
    for clip, inside in ((True, True), (False, False)):
        states = list(sample(net, diffusion, (1, 8, 8), seeds=[5, 6], steps=4, clip=clip))
        assert (max(float(s.x0_hat.abs().max()) for s in states[1:]) <= 1) == inside


def test_sampling_is_free_of_gradients_and_inference_mode_does_not_leak():
    net = tiny_unet()
    assert all(p.requires_grad for p in net.parameters())
    run = sample(net, GaussianDiffusion(linear_schedule(50)), (1, 8, 8), seeds=[0, 1], steps=3)
    for state in run:
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
        assert not torch.zeros(1).is_inference()
        assert state.xt.is_inference()
        assert not state.xt.requires_grad
        assert state.x0_hat is None or (state.x0_hat.is_inference() and not state.x0_hat.requires_grad)
    # Left in the middle, it does not leak either.
    run = sample(net, GaussianDiffusion(linear_schedule(50)), (1, 8, 8), seeds=[0, 1], steps=3)
    next(run)
    run.close()
    assert not torch.is_inference_mode_enabled()


def test_tables_first_read_while_sampling_can_be_differentiated_through_later():
    schedule = linear_schedule(50)
    diffusion = GaussianDiffusion(schedule)
    mixture = GaussianMixture(torch.zeros(1, 2), torch.ones(1), torch.ones(1))
    final(OracleDenoiser(mixture, linear_schedule(50).alpha_bar), diffusion, (2,), seeds=[0], steps=2)
    x = torch.ones(1, 2, requires_grad=True)
    assert not schedule.alpha_bar.is_inference()
    assert not diffusion.alpha_bar(5, x).is_inference()
    (schedule.alpha_bar[5].float() * x).sum().backward()
    close(x.grad, schedule.alpha_bar[5].float().expand(1, 2), 1e-7)


def test_one_label_per_image_is_asked_for():
    run = sample(tiny_unet(classes=3), LINEAR, (1, 8, 8), seeds=[0, 1], y=torch.tensor([1, 2, 0]))
    with pytest.raises(ValueError, match="There are 3 labels for 2 seeds: pass one label per image"):
        next(run)


def test_a_state_is_read_only():
    with pytest.raises(AttributeError):
        State(0, torch.zeros(1, 2), None).t = 1


def test_a_step_that_reads_no_noise_is_spared_the_draw(monkeypatch):
    drawn = []
    monkeypatch.setattr(Noise, "__call__", lambda self: drawn.append(1) or torch.zeros(1, 1, 4, 4))

    def oracle(xt, t, y=None):
        return torch.zeros_like(xt)

    oracle.predicts = "x0"
    for step, draws in (
        (ddim_step, 1),
        (DDIM(0.0), 1),
        (DDIM(0.5), 5),
        (ddpm_step, 5),
        (lambda *a, **k: ddim_step(*a, **k), 5),  # what is not known is given noise
    ):
        drawn.clear()
        list(sample(oracle, GaussianDiffusion(cosine_schedule(8)), (1, 4, 4), seeds=[0], step=step, steps=4))
        assert len(drawn) == draws  # x_T, and one a step that reads it


def test_without_noise_a_step_that_reads_it_is_refused():
    xT = torch.zeros(1, 2)
    with pytest.raises(ValueError, match="This step adds fresh noise, but there is none: pass noise="):
        next(sample_from(tiny_unet(), LINEAR, xT, step=ddpm_step))


@pytest.mark.parametrize("step", [ddpm_step, DDIM(0.5), ddim_step, heun_step])
def test_from_the_same_noise_sample_and_sample_from_are_one(step):
    net, diffusion, how = tiny_unet(), GaussianDiffusion(cosine_schedule(50)), {"step": step, "steps": 3}
    noise = Noise([5, 6], (1, 8, 8))
    ours = list(sample(net, diffusion, (1, 8, 8), seeds=[5, 6], **how))
    theirs = list(sample_from(net, diffusion, noise(), noise=noise, **how))
    for a, b in zip(ours, theirs, strict=True):
        assert a.t == b.t
        assert torch.equal(a.xt, b.xt)


def test_a_list_of_times_is_followed_as_it_is():
    states = sample_from(
        tiny_unet(), LINEAR, normal(2, 1, 8, 8, dtype=torch.float32), steps=[1000, 999, 20, 0]
    )
    assert [state.t for state in states] == [1000, 999, 20, 0]


def test_a_step_may_call_the_network_again_with_the_same_labels_and_clipping():
    asked = []

    def denoiser(xt, t, y=None):
        asked.append((t.tolist(), y.tolist()))
        return 5 + 0 * xt

    denoiser.predicts, inside = "x0", []

    def step(diffusion, xt, t, s, x0_hat, eps_hat, z, denoise):
        assert torch.equal(z, 0 * xt)
        inside.append(denoise(xt, s)[0] if s else x0_hat)
        return x0_hat

    step.reads_noise = False
    y = torch.tensor([3, 4])
    list(sample_from(denoiser, LINEAR, torch.zeros(2, 1, 2, 2), y=y, step=step, steps=[9, 5, 0]))
    assert asked == [([t, t], [3, 4]) for t in (9, 5, 5)]
    assert all(torch.equal(x0_hat, torch.ones(2, 1, 2, 2)) for x0_hat in inside)


def test_points_are_not_clipped_unless_asked_and_images_are() -> None:
    # An exact oracle of two narrow modes at -1.8 and 1.8: clipped, they would come out at -1 and 1.
    modes = GaussianMixture(torch.tensor([[-1.8], [1.8]]), torch.full((2,), 0.05), torch.tensor([0.5, 0.5]))
    diffusion = GaussianDiffusion(linear_schedule(100))
    oracle = OracleDenoiser(modes, diffusion.schedule.alpha_bar)
    walked = last(sample(oracle, diffusion, (1,), seeds=range(200), steps=50)).xt
    (drawn,) = generate(oracle, diffusion, (1,), range(200), steps=50, batch=200)
    for x in (walked, drawn):
        assert float(x.abs().mean()) == pytest.approx(1.8, abs=0.02)
    (clipped,) = generate(oracle, diffusion, (1,), range(200), steps=50, batch=200, clip=True)
    assert float(clipped.abs().max()) <= 1
    # The library's doors all have the one default, which `denoise` resolves.
    net, xt = tiny_unet(), torch.full((1, 1, 8, 8), 3.0)
    assert float(diffusion.denoise(net, xt, 100)[0].detach().abs().max()) <= 1
    doors = (sample, sample_from, generate, edit_from, step_term, terms)
    methods = (GaussianDiffusion.denoise, GaussianDiffusion.p_mean_variance)
    for door in (*doors, *methods):
        assert inspect.signature(door).parameters["clip"].default is None, door

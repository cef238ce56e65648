"""Reverse steps and the loop over them: identities between samplers, seeds, and what may leak."""

from __future__ import annotations

import inspect
from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddpm_lib.bound import step_term, terms
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import edit_from
from ddpm_lib.evaluate.generate import generate, last, sampler
from ddpm_lib.flow import heun_step
from ddpm_lib.models import GaussianMixture, OracleDenoiser, UNet, UNetConfig
from ddpm_lib.sampling import DDIM, DDPM, Noise, State, ddim_step, ddpm_step, sample, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import close, normal

LINEAR, COSINE = GaussianDiffusion(linear_schedule(1000)), GaussianDiffusion(cosine_schedule(1000))
BOTH = pytest.mark.parametrize("diffusion", [LINEAR, COSINE], ids=["linear", "cosine"])
STRIDES = [(1, 0), (2, 1), (500, 499), (1000, 999), (20, 0), (60, 40), (699, 0), (900, 201)]


def prediction(diffusion, t, clip, seed=0):
    """(x_t, x0_hat, eps_hat) as a network would leave them."""
    xt, eps = normal(3, 4, seed=seed), normal(3, 4, seed=seed + 10)
    x0_hat = diffusion.predict_x0(xt, t, eps)
    if clip:
        x0_hat = x0_hat.clamp(-1, 1)
    return xt, x0_hat, diffusion.predict_eps(xt, t, x0_hat)


# -- steps ---------------------------------------------------------------------------------------------------


@pytest.mark.equation("eq-ddim-sigma")
@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
@pytest.mark.parametrize("clip", [True, False])
def test_ddim_at_eta_1_is_ddpm_at_any_stride(diffusion, t, s, clip):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip)
    z = normal(3, 4, seed=5)
    ddpm = ddpm_step(diffusion, xt, t, s, x0_hat, eps_hat, z)
    ddim = DDIM(1.0)(diffusion, xt, t, s, x0_hat, eps_hat, z)
    close(ddim, ddpm, 1e-9 if clip else 1e-9 * float(x0_hat.abs().max()))


@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
def test_ddim_at_eta_0_is_q_sample_of_its_own_prediction_and_ignores_the_noise(diffusion, t, s):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip=True)
    steps = [ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, normal(3, 4, seed=k)) for k in (5, 6)]
    assert torch.equal(*steps)
    close(steps[0], diffusion.q_sample(x0_hat, s, eps_hat), 1e-14)


@pytest.mark.equation("eq-ddim", "eq-ddim-sigma")
@BOTH
@pytest.mark.parametrize("eta", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("t", "s"), [(60, 40), (2, 1), (900, 201)])
def test_ddim_keeps_the_marginal_at_any_eta(diffusion, eta, t, s):
    # With the true x_0 and eps, x_s must be N(sqrt(ab_s) x_0, 1 - ab_s): the two noises' variances add up.
    x0, zero, one = (
        normal(3, 4),
        torch.zeros(3, 4, dtype=torch.float64),
        torch.ones(3, 4, dtype=torch.float64),
    )
    step = partial(DDIM(eta), diffusion, one, t, s)
    mean, variance = diffusion.q_mean_variance(x0, s)
    close(step(x0, zero, zero), mean, 1e-14)
    from_eps, from_z = step(zero, one, zero), step(zero, zero, one)
    close(from_eps**2 + from_z**2, variance.expand(3, 4), 1e-14)
    _, posterior = diffusion.q_posterior(x0, one, t, s)
    close(from_z**2, (eta**2 * posterior).expand(3, 4), 1e-14)


@pytest.mark.equation("eq-algorithm-2")
@BOTH
@pytest.mark.parametrize("t", [1, 2, 20, 500, 1000])
@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_ddpm_step_is_line_4_of_algorithm_2(diffusion, t, sigma2):
    xt, eps_hat, z = (normal(3, 4, seed=seed) for seed in range(3))
    beta, ab = diffusion.schedule.beta, diffusion.schedule.alpha_bar
    variance = beta[t] if sigma2 == "beta" else beta[t] * (1 - ab[t - 1]) / (1 - ab[t])
    sigma = variance.sqrt() if t > 1 else 0 * variance  # line 3: z = 0 at t = 1
    line_4 = (xt - beta[t] / (1 - ab[t]).sqrt() * eps_hat) / (1 - beta[t]).sqrt() + sigma * z
    x0_hat = diffusion.predict_x0(xt, t, eps_hat)
    found = DDPM(sigma2)(diffusion, xt, t, t - 1, x0_hat, eps_hat, z)
    close(found, line_4, 1e-12 * max(1.0, float(line_4.abs().max())))


@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_ddpm_step_is_p_p_mean_variance_and_noise(diffusion, t, s, sigma2):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip=True)
    z = normal(3, 4, seed=5)

    def denoiser(xt, t, y=None):
        return x0_hat

    denoiser.predicts = "x0"
    mean, variance = diffusion.p_mean_variance(denoiser, xt, t, s, sigma2=sigma2)
    step = DDPM(sigma2)(diffusion, xt, t, s, x0_hat, eps_hat, z)
    ab_t, ab_s = diffusion.schedule.alpha_bar[[t, s]].tolist()
    beta = 1 - ab_t / ab_s
    true = beta if sigma2 == "beta" else beta * (1 - ab_s) / (1 - ab_t)
    close(variance.expand(3, 4), torch.full_like(z, true), 1e-14)
    if s > 0:
        close(step, mean + variance.sqrt() * z, 1e-15)
        close((step - mean) ** 2 / z**2, torch.full_like(z, true), 1e-9)
    else:
        assert torch.equal(step, mean)  # the last step shows the mean


@pytest.mark.parametrize("step", [ddpm_step, DDPM("beta"), DDIM(1.0)])
def test_the_last_step_is_x0_hat_without_noise(step):
    for t in (1, 20, 1000):
        xt, x0_hat, eps_hat = prediction(LINEAR, t, clip=True)
        x = step(LINEAR, xt, t, 0, x0_hat, eps_hat, normal(3, 4, seed=5))
        assert torch.equal(x, x0_hat)


def test_samplers_by_name_are_the_steps_with_their_options():
    xt, x0_hat, eps_hat = prediction(LINEAR, 60, clip=True)
    args = (LINEAR, xt, 60, 40, x0_hat, eps_hat, normal(3, 4, seed=5))
    assert torch.equal(sampler("ddpm")(*args), ddpm_step(*args))
    assert torch.equal(sampler("ddpm-beta")(*args), DDPM("beta")(*args))
    assert torch.equal(sampler("ddim", eta=0.3)(*args), DDIM(0.3)(*args))
    assert not torch.equal(sampler("ddpm")(*args), sampler("ddpm-beta")(*args))
    with pytest.raises(ValueError, match="There is no sampler 'euler': choose one of ddpm, ddpm-beta, ddim"):
        sampler("euler")


# -- times ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 3000), st.data())
def test_timesteps_fall_strictly_from_T_to_0_in_nearly_equal_strides(T, data):
    steps = data.draw(st.integers(1, T))
    path = timesteps(T, steps)
    assert path[0] == T
    assert path[-1] == 0
    assert len(path) == steps + 1
    strides = {a - b for a, b in pairwise(path)}
    assert min(strides) >= 1
    assert T / steps - 1 < min(strides)
    assert max(strides) < T / steps + 1


def test_timesteps_are_every_time_by_default_and_multiples_where_steps_divide_T():
    assert timesteps(5) == [5, 4, 3, 2, 1, 0]
    assert timesteps(1000, 4) == [1000, 750, 500, 250, 0]
    assert timesteps(7, 1) == [7, 0]


@pytest.mark.parametrize("steps", [0, -1, 101])
def test_a_number_of_steps_that_does_not_fit_is_refused(steps):
    with pytest.raises(
        ValueError, match=f"Cannot take {steps} steps through a chain of T = 100: pass 1 to 100"
    ):
        timesteps(100, steps)


# -- noise and seeds -----------------------------------------------------------------------------------------


def test_noise_of_an_image_depends_on_its_seed_alone():
    seeds = [3, 1, 4, 1]
    together = Noise(seeds, (2, 5))
    first, second = together(), together()
    assert first.shape == (4, 2, 5)
    for i, seed in enumerate(seeds):
        alone = Noise([seed], (2, 5))
        assert torch.equal(alone()[0], first[i])
        assert torch.equal(alone()[0], second[i])
    assert torch.equal(first[1], first[3])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


def test_every_draw_is_the_next_of_each_generator():
    noise = Noise([3, 8], (1, 4, 6))
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 8)]
    for _ in range(3):
        assert torch.equal(noise(), torch.stack([torch.randn(1, 4, 6, generator=g) for g in generators]))


def tiny_unet(**kwargs):
    torch.manual_seed(0)
    net = UNet(UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, groups=1, **kwargs)).eval()
    for parameter in net.parameters():  # the zero-initialised layers too
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return net


def final(*args, **kwargs):
    *_, last = sample(*args, **kwargs)
    return last.xt


@pytest.mark.parametrize("step", [ddpm_step, DDIM(0.5)])
def test_a_batch_of_8_gives_the_same_images_as_one_at_a_time(step):
    net, seeds, y = tiny_unet(classes=3), list(range(8)), torch.arange(8) % 3
    diffusion = GaussianDiffusion(linear_schedule(50))
    together = final(net, diffusion, (1, 8, 8), seeds=seeds, y=y, step=step, steps=3)
    for i in range(8):
        alone = final(net, diffusion, (1, 8, 8), seeds=seeds[i : i + 1], y=y[i : i + 1], step=step, steps=3)
        close(alone[0], together[i], 1e-5)


# -- the loop ------------------------------------------------------------------------------------------------


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

"""The Gaussian algebra against things it was not derived from: recursion, conditioning, round trips, chance."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models.oracle import GaussianMixture, OracleDenoiser
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from tests.helpers import assert_mean, assert_variance, close, normal, unchecked

LINEAR, COSINE = GaussianDiffusion(linear_schedule(1000)), GaussianDiffusion(cosine_schedule(1000))
BOTH = pytest.mark.parametrize("diffusion", [LINEAR, COSINE], ids=["linear", "cosine"])
STRIDES = [(1, 0), (2, 1), (500, 499), (1000, 999), (20, 0), (60, 40), (1000, 980), (699, 0), (1000, 301)]


class Fixed:
    """A denoiser that always puts out the same, and remembers what it was asked."""

    def __init__(self, output, predicts="eps"):
        self.output, self.predicts, self.asked = output, predicts, None

    def __call__(self, xt, t, y=None):
        self.asked = (xt, t, y)
        return self.output


# -- the forward process -------------------------------------------------------------------------------------


@pytest.mark.equation("eq-closed-form")
@BOTH
def test_one_step_recursion_gives_the_closed_form_at_every_t(diffusion):
    # x_t = sqrt(alpha_t) x_{t-1} + sqrt(beta_t) z: follow the factor of x_0 and the variance.
    x0, beta = torch.ones(1, 1, dtype=torch.float64), diffusion.schedule.beta.tolist()
    signal, variance = 1.0, 0.0
    for t in range(diffusion.T + 1):
        signal, variance = math.sqrt(1 - beta[t]) * signal, (1 - beta[t]) * variance + beta[t]
        mean_t, variance_t = diffusion.q_mean_variance(x0, t)
        assert abs(float(mean_t) - signal) < 1e-12
        assert abs(float(variance_t) - variance) < 1e-12


def test_one_step_recursion_and_closed_form_have_the_same_moments_by_chance():
    diffusion, n = GaussianDiffusion(linear_schedule(40)), 100_000
    x0 = torch.tensor([0.8, -0.3], dtype=torch.float64).expand(n, 2)
    x = x0
    for t in range(1, 13):
        beta = diffusion.schedule.beta[t]
        x = (1 - beta).sqrt() * x + beta.sqrt() * normal(n, 2, seed=t)
    direct = diffusion.q_sample(x0, 12, normal(n, 2, seed=99))
    mean, variance = diffusion.q_mean_variance(x0[:1], 12)
    for draws in (x, direct):
        assert_mean(draws, mean[0])
        assert_variance(draws, variance.flatten())
        assert_mean(draws.prod(1, keepdim=True), mean.prod())  # no correlation between the pixels


@pytest.mark.equation("eq-closed-form")
@BOTH
def test_q_sample_is_its_mean_plus_its_standard_deviation_times_eps(diffusion):
    x0, eps, t = normal(6, 3, 2, 2), normal(6, 3, 2, 2, seed=1), torch.tensor([0, 1, 2, 500, 999, 1000])
    mean, variance = diffusion.q_mean_variance(x0, t)
    assert variance.shape == (6, 1, 1, 1)
    close(diffusion.q_sample(x0, t, eps), mean + variance.sqrt() * eps, 1e-15)
    assert torch.equal(diffusion.q_sample(x0, 0, eps), x0)


def test_a_time_for_each_image_equals_one_image_at_a_time():
    x0, eps, t = normal(5, 1, 3, 3), normal(5, 1, 3, 3, seed=1), torch.tensor([1, 20, 300, 999, 1000])
    s = torch.tensor([0, 19, 1, 300, 980])
    together = LINEAR.q_sample(x0, t, eps)
    mean, variance = LINEAR.q_posterior(x0, eps, t, s)
    for i in range(5):
        one = slice(i, i + 1)
        assert torch.equal(together[one], LINEAR.q_sample(x0[one], int(t[i]), eps[one]))
        mean_i, variance_i = LINEAR.q_posterior(x0[one], eps[one], int(t[i]), int(s[i]))
        assert torch.equal(mean[one], mean_i)
        assert torch.equal(variance[one], variance_i)


# -- the posterior -------------------------------------------------------------------------------------------


def conditioned(diffusion, x0, xt, t, s):
    """Mean and variance of x_s given x_t, from the joint Gaussian of the chain and a Schur complement."""
    beta = diffusion.schedule.beta
    # (x_s, x_t) = M (x_0, z_1, ..., z_t): the chain, one row a time, without any closed form.
    row = torch.zeros(t + 1, dtype=torch.float64)
    row[0] = 1.0
    rows = [row]
    for k in range(1, t + 1):
        row = (1 - beta[k]).sqrt() * row
        row[k] = beta[k].sqrt()
        rows.append(row)
    m = torch.stack([rows[s], rows[t]])
    mean_s, mean_t = m[0, 0] * x0, m[1, 0] * x0
    cov = m[:, 1:] @ m[:, 1:].T
    gain = cov[0, 1] / cov[1, 1]
    return mean_s + gain * (xt - mean_t), cov[0, 0] - gain * cov[1, 0]


@pytest.mark.equation("eq-posterior-any")
@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
def test_the_posterior_is_gaussian_conditioning_at_any_stride(diffusion, t, s):
    x0 = normal(4, 3)
    xt = diffusion.q_sample(x0, t, normal(4, 3, seed=1))  # where the chain really is
    mean, variance = diffusion.q_posterior(x0, xt, t, s)
    true_mean, true_variance = conditioned(diffusion, x0, xt, t, s)
    # 1 - alpha_bar_t, known to the last bit of 1, is divided by: that matters at t = 2 of the cosine only.
    close(mean, true_mean, 1e-12 if t > 2 else 1e-11)
    assert abs(float(variance) - float(true_variance)) < 1e-12


@pytest.mark.equation("eq-posterior-bayes")
@BOTH
@pytest.mark.parametrize(("t", "s"), [(t, s) for t, s in STRIDES if s > 0])
def test_the_posterior_is_likelihood_times_prior_over_evidence(diffusion, t, s):
    # All four densities, constants included, on a grid of x_s: the two other factors come from the chain.
    ab, x0, xt = diffusion.schedule.alpha_bar, torch.tensor([[0.8]]).double(), torch.tensor([[-0.3]]).double()
    a = float(diffusion.schedule.alpha[s + 1 : t + 1].prod())
    mean, variance = diffusion.q_posterior(x0, xt, t, s)
    xs = mean + variance.sqrt() * torch.linspace(-4, 4, 81, dtype=torch.float64)[:, None]
    likelihood = gaussian.log_prob(xt - math.sqrt(a) * xs, 0.0, 1 - a)
    prior = gaussian.log_prob(xs - ab[s].sqrt() * x0, 0.0, float(1 - ab[s]))
    evidence = gaussian.log_prob(xt - ab[t].sqrt() * x0, 0.0, float(1 - ab[t]))
    posterior = gaussian.log_prob(xs, mean, variance)
    size = float(torch.cat([likelihood, prior, evidence.abs()]).abs().max())  # at small t they nearly cancel
    close(posterior, likelihood + prior - evidence, 1e-9 * max(size, 1))


@pytest.mark.equation("eq-posterior-mean", "eq-posterior-variance")
@BOTH
def test_at_stride_one_the_posterior_is_the_papers_eq_7(diffusion):
    x0, xt = normal(4, 3), normal(4, 3, seed=1)
    beta, ab = diffusion.schedule.beta, diffusion.schedule.alpha_bar
    for t in (2, 3, 500, 999, 1000):
        beta_tilde = (1 - ab[t - 1]) / (1 - ab[t]) * beta[t]
        eq7 = ab[t - 1].sqrt() * beta[t] / (1 - ab[t]) * x0
        eq7 = eq7 + (1 - beta[t]).sqrt() * (1 - ab[t - 1]) / (1 - ab[t]) * xt
        mean, variance = diffusion.q_posterior(x0, xt, t, t - 1)
        close(mean, eq7, 1e-12)
        assert float(variance) == pytest.approx(float(beta_tilde), rel=1e-9)


@BOTH
@pytest.mark.parametrize("t", [1, 20, 699, 1000])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_at_s_0_the_posterior_is_exactly_x0_without_variance(diffusion, t, dtype):
    x0, xt = normal(4, 3, dtype=dtype), normal(4, 3, seed=1, dtype=dtype)
    mean, variance = diffusion.q_posterior(x0, xt, t, 0)
    assert torch.equal(mean, x0)
    assert torch.equal(variance, torch.zeros_like(variance))


@given(st.integers(2, 40), st.data())
@settings(max_examples=40)
def test_two_posterior_steps_in_a_row_are_one_posterior_of_the_longer_stride(T, data):
    # p(x_r | x_t, x_0) = integral of p(x_r | x_s, x_0) p(x_s | x_t, x_0) for r < s < t and any schedule.
    betas = data.draw(st.lists(st.floats(1e-4, 0.9), min_size=T, max_size=T))
    diffusion = GaussianDiffusion(NoiseSchedule(torch.tensor([0.0, *betas], dtype=torch.float64)))
    t = data.draw(st.integers(2, T))
    s = data.draw(st.integers(1, t - 1))
    r = data.draw(st.integers(0, s - 1))
    x0, xt, one = normal(1, 1), normal(1, 1, seed=1), torch.ones(1, 1, dtype=torch.float64)
    mean_s, variance_s = diffusion.q_posterior(x0, xt, t, s)
    mean_r, variance_r = diffusion.q_posterior(x0, mean_s, s, r)
    slope, _ = diffusion.q_posterior(0 * one, one, s, r)  # of x_s in the second mean
    mean, variance = diffusion.q_posterior(x0, xt, t, r)
    close(mean_r, mean, 1e-10)
    close(variance_r + slope**2 * variance_s, variance, 1e-10)


# -- one prediction, four names ------------------------------------------------------------------------------


@pytest.mark.equation("eq-x0-from-eps")
@BOTH
def test_eps_x0_and_v_round_trips_at_every_t(diffusion):
    t = torch.arange(1, diffusion.T + 1)
    x0, eps = normal(diffusion.T, 5).clamp(-1, 1), normal(diffusion.T, 5, seed=1)
    xt, v = diffusion.q_sample(x0, t, eps), diffusion.predict_v(x0, t, eps)
    # Rounding in x_t grows by 1 / sqrt(alpha_bar) on the way to x_0 and 1 / sqrt(1 - alpha_bar) to eps.
    ab = diffusion.schedule.alpha_bar[1:, None]
    close((diffusion.predict_x0(xt, t, eps) - x0) * ab.sqrt(), 0 * x0, 1e-14)
    close((diffusion.predict_eps(xt, t, x0) - eps) * (1 - ab).sqrt(), 0 * eps, 1e-14)
    close(diffusion.predict_x0(xt, t, eps), x0, 1e-9)
    close(diffusion.predict_eps(xt, t, x0), eps, 1e-9)
    close(diffusion.x0_from_v(xt, t, v), x0, 1e-14)
    close(diffusion.eps_from_v(xt, t, v), eps, 1e-14)


def test_predict_x0_and_predict_eps_do_not_assume_that_xt_came_from_x0():
    # For any (x_t, eps): putting the two estimates together must give x_t back.
    xt, eps = normal(3, 4), normal(3, 4, seed=1)
    for t in (1, 10, 500, 1000):
        close(LINEAR.q_sample(LINEAR.predict_x0(xt, t, eps), t, eps), xt, 1e-12)
        close(LINEAR.q_sample(xt, t, LINEAR.predict_eps(eps, t, xt)), eps, 1e-12)


@pytest.mark.parametrize("t", [1, 2, 5, 50])
def test_float32_images_lose_nothing_near_t_0_because_coefficients_are_float64(t):
    x0, eps = normal(200, dtype=torch.float32).clamp(-1, 1), normal(200, seed=1, dtype=torch.float32)
    sigma = math.sqrt(-math.expm1(float((-COSINE.schedule.beta[1 : t + 1]).log1p().sum())))  # no cancellation
    # With 1 - alpha_bar in float32, sigma_1 (0.0064) would be off by a relative 1e-3; float32 itself has 6e-8.
    noise = COSINE.q_sample(torch.zeros(200), t, eps)
    close(noise / eps, torch.full((200,), sigma), 2e-7 * sigma)
    # One rounding of x_t, 6e-8, is what a division by sigma may enlarge.
    close(COSINE.predict_eps(COSINE.q_sample(x0, t, eps), t, x0), eps, 4 * 6e-8 * 4 / sigma)
    close(COSINE.predict_x0(COSINE.q_sample(x0, t, eps), t, eps), x0, 1e-6)


@BOTH
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_interpret_inverts_target(diffusion, predicts):
    x0, eps, t = normal(5, 3), normal(5, 3, seed=1), torch.tensor([1, 20, 500, 980, 990])
    output = diffusion.target(x0, t, eps, predicts)
    x0_hat, eps_hat = diffusion.interpret(output, diffusion.q_sample(x0, t, eps), t, predicts)
    close(x0_hat, x0, 1e-11)
    close(eps_hat, eps, 1e-11)


@pytest.mark.equation("eq-v")
def test_target_is_the_named_quantity():
    x0, eps, t = normal(5, 3), normal(5, 3, seed=1), torch.tensor([0, 1, 500, 999, 1000])
    assert torch.equal(LINEAR.target(x0, t, eps, "eps"), eps)
    assert torch.equal(LINEAR.target(x0, t, eps, "x0"), x0)
    # v is the derivative of x_t along the circle angle: (x_t, v) is (x0, eps) turned, so lengths agree.
    xt, v = LINEAR.q_sample(x0, t, eps), LINEAR.target(x0, t, eps, "v")
    close(xt**2 + v**2, x0**2 + eps**2, 1e-13)
    assert torch.equal(v[0], eps[0])  # at t = 0


# -- the reverse process -------------------------------------------------------------------------------------


@pytest.mark.equation("eq-reverse")
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_p_mean_variance_is_the_posterior_at_the_predicted_x0(predicts):
    x0, eps = normal(4, 3), normal(4, 3, seed=1)
    t, s = torch.tensor([1, 50, 500, 800]), torch.tensor([0, 49, 300, 1])
    xt = LINEAR.q_sample(x0, t, eps)
    denoiser = Fixed(LINEAR.target(x0, t, eps, predicts), predicts)
    mean, variance = LINEAR.p_mean_variance(denoiser, xt, t, s, clip=False)
    true_mean, true_variance = LINEAR.q_posterior(x0, xt, t, s)
    close(mean, true_mean, 1e-12)
    assert torch.equal(variance, true_variance)


@pytest.mark.equation("eq-mean-eps")
@BOTH
def test_the_mean_for_a_predicted_eps_is_the_papers_eq_11(diffusion):
    xt, eps, beta = normal(4, 3), normal(4, 3, seed=1), diffusion.schedule.beta
    for t in (1, 2, 3, 20, 500, 998):
        noise = beta[t] / (1 - diffusion.schedule.alpha_bar[t]).sqrt() * eps
        eq11 = (xt - noise) / (1 - beta[t]).sqrt()
        mean, _ = diffusion.p_mean_variance(Fixed(eps), xt, t, t - 1, clip=False)
        close(mean, eq11, 1e-10)


@BOTH
@pytest.mark.parametrize(("t", "s"), [(2, 1), (50, 20), (500, 499), (990, 300), (400, 0)])
def test_with_an_exact_denoiser_the_mean_is_that_of_the_true_reverse_step(diffusion, t, s):
    # Data of two narrow Gaussians: q(x_s | x_t) is q(x_s) q(x_t | x_s), normalized, on a grid.
    mixture = GaussianMixture(
        torch.tensor([[-0.5], [0.9]]).double(),
        torch.tensor([0.3, 0.2]).double(),
        torch.tensor([0.3, 0.7]).double(),
    )
    ab, xt = diffusion.schedule.alpha_bar, torch.tensor([[0.1]]).double()
    a, x = float(ab[t] / ab[s]), torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    weights = gaussian.log_prob(xt - math.sqrt(a) * x, 0.0, 1 - a)[0].exp()
    parts = zip(mixture.weights.tolist(), mixture.means.flatten().tolist(), mixture.std.tolist(), strict=True)
    root = math.sqrt(ab[s])
    weights = weights * sum(
        w * gaussian.log_prob(x, root * m, float(ab[s] * d**2 + 1 - ab[s])).exp() for w, m, d in parts
    )
    expected = (weights * x).sum() / weights.sum()
    oracle = OracleDenoiser(mixture, ab)
    mean, _ = diffusion.p_mean_variance(oracle, xt, t, s, clip=False)
    close(mean.flatten(), expected[None], 1e-8)


def test_p_mean_variance_clips_x0_hat_to_the_image_range_unless_told_not_to():
    xt, outside = normal(4, 1, 2, 2), 3 * normal(4, 1, 2, 2, seed=1)
    assert bool((outside > 1).any() and (outside < -1).any())
    denoiser = Fixed(outside, "x0")
    clipped, _ = LINEAR.p_mean_variance(denoiser, xt, 500, 400)
    free, _ = LINEAR.p_mean_variance(denoiser, xt, 500, 400, clip=False)
    close(clipped, LINEAR.q_posterior(outside.clamp(-1, 1), xt, 500, 400)[0], 1e-15)
    close(free, LINEAR.q_posterior(outside, xt, 500, 400)[0], 1e-15)


@pytest.mark.equation("eq-clip")
def test_clipping_keeps_x0_hat_and_eps_hat_a_pair():
    xt, eps = normal(4, 1, 2, 2), normal(4, 1, 2, 2, seed=1)
    x0_hat, eps_hat = LINEAR.denoise(Fixed(eps), xt, 700)
    assert float(x0_hat.abs().max()) == 1
    close(LINEAR.q_sample(x0_hat, 700, eps_hat), xt, 1e-12)
    x0_hat, eps_hat = LINEAR.denoise(Fixed(eps), xt, 700, clip=False)
    assert torch.equal(eps_hat, eps)
    close(LINEAR.q_sample(x0_hat, 700, eps_hat), xt, 1e-12)


def test_denoise_asks_the_network_at_a_time_for_each_image_and_hands_on_the_labels():
    denoiser, y = Fixed(normal(4, 3)), torch.tensor([3, 1, 4, 1])
    xt = normal(4, 3, seed=1)
    LINEAR.denoise(denoiser, xt, 7, y=y)
    assert denoiser.asked[0] is xt
    assert denoiser.asked[1].tolist() == [7, 7, 7, 7]
    assert denoiser.asked[1].dtype == torch.int64
    assert denoiser.asked[2] is y
    LINEAR.p_mean_variance(denoiser, xt, torch.tensor([7, 8, 9, 10]), 2, y=y)
    assert denoiser.asked[1].tolist() == [7, 8, 9, 10]
    assert denoiser.asked[2] is y


@pytest.mark.equation("eq-sigma-choices")
@BOTH
@pytest.mark.parametrize(("t", "s"), [(t, s) for t, s in STRIDES if s > 0])
@pytest.mark.parametrize(("data", "sigma2"), [(0.0, "beta_tilde"), (1.0, "beta")])
def test_each_sigma2_is_the_true_variance_for_its_own_data(diffusion, t, s, data, sigma2):
    # Gaussian data: the true reverse step is q(x_s) times the likelihood of x_s, a product of two Gaussians.
    ab = diffusion.schedule.alpha_bar
    a, prior = ab[t] / ab[s], ab[s] * data + 1 - ab[s]
    xt = normal(1, 1)
    _, true = gaussian.product(torch.zeros(1), prior, xt / a.sqrt(), (1 - a) / a)
    found = diffusion.reverse_variance(xt, t, s, sigma2)
    assert float(found) == pytest.approx(float(true), rel=1e-9)


@BOTH
def test_sigma2_beta_is_the_variance_of_the_forward_step(diffusion):
    xt, denoiser = normal(4, 3), Fixed(normal(4, 3, seed=1))
    for t in (2, 20, 500, 1000):
        _, variance = diffusion.p_mean_variance(denoiser, xt, t, t - 1, sigma2="beta")
        assert float(variance) == pytest.approx(float(diffusion.schedule.beta[t]), rel=1e-9)
        _, smaller = diffusion.p_mean_variance(denoiser, xt, t, t - 1)
        assert float(smaller) < float(variance)
    # From s to t the forward chain adds 1 - alpha_{s+1} ... alpha_t.
    product = float(diffusion.schedule.alpha[31:71].prod())
    assert float(diffusion.reverse_variance(xt, 70, 30, "beta")) == pytest.approx(1 - product, rel=1e-9)
    # p_theta(x_0 | x_1) has a variance too; it is the sampler that leaves its noise out.
    assert float(diffusion.reverse_variance(xt, 20, 0, "beta")) == pytest.approx(
        1 - float(diffusion.schedule.alpha_bar[20]), rel=1e-9
    )


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [-1, 1001, torch.tensor([1, 1001]), torch.tensor([-1, 5])])
def test_a_time_outside_the_chain_is_refused(t):
    x = normal(2, 3)
    with pytest.raises(ValueError, match=r"t = .* is outside 0 \.\.\. 1000"):
        LINEAR.q_sample(x, t, x)
    with pytest.raises(ValueError, match=r"outside 0 \.\.\. 1000|is not before"):
        LINEAR.q_posterior(x, x, t, 0)
    with pytest.raises(ValueError, match=r"outside 0 \.\.\. 1000|is not before"):
        LINEAR.q_posterior(x, x, 1000, t)


def test_the_ends_of_the_chain_are_inside():
    x = normal(2, 3)
    for t in (0, 1000, torch.tensor([0, 1000])):
        assert LINEAR.q_sample(x, t, x).shape == x.shape


@pytest.mark.parametrize(
    ("t", "s"), [(5, 5), (5, 6), (torch.tensor([5, 5]), torch.tensor([4, 5])), (torch.tensor([9, 3]), 3)]
)
def test_a_reverse_step_that_does_not_go_back_is_refused(t, s):
    x, sentence = normal(2, 3), "A reverse step goes back in time, but s = .* is not before t"
    with pytest.raises(ValueError, match=sentence):
        LINEAR.q_posterior(x, x, t, s)
    with pytest.raises(ValueError, match=sentence):
        LINEAR.reverse_variance(x, t, s, "beta")


def test_a_prediction_of_another_name_is_refused():
    x = normal(2, 3)
    with unchecked():
        for refused in (lambda: LINEAR.interpret(x, x, 5, "score"), lambda: LINEAR.target(x, 5, x, "score")):
            with pytest.raises(ValueError, match="predicts 'eps', 'x0' or 'v', but this one says 'score'"):
                refused()


def test_the_table_follows_the_image_and_keeps_its_dtype():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x = normal(2, 1, 4, 4).to(dtype)
        assert LINEAR.q_sample(x, 5, x).dtype == dtype
        mean, variance = LINEAR.q_posterior(x, x, 9, 5)
        assert mean.dtype == variance.dtype == dtype
    assert LINEAR.alpha_bar(torch.tensor([1, 2]), normal(2, 1, 4, 4)).shape == (2, 1, 1, 1)
    assert LINEAR.alpha_bar(3, normal(2, 4)).dtype == torch.float64


def test_an_unknown_sigma2_is_refused_by_name():
    x = normal(2, 3)
    with unchecked(), pytest.raises(ValueError, match="sigma2 is 'beta_tilde' or 'beta', not 'betas'"):
        LINEAR.reverse_variance(x, 5, 4, "betas")

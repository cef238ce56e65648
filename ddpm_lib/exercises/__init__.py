"""Graders for the book's exercises: each says what is wrong, not only that it is."""

from ddpm_lib.exercises.arc import check_slerp
from ddpm_lib.exercises.attention import check_attention, check_look
from ddpm_lib.exercises.beyond_chance import check_beyond_chance
from ddpm_lib.exercises.bound import check_kl, check_last_sd, check_prior_term
from ddpm_lib.exercises.clinic import (
    check_first_loss,
    check_mend_average,
    check_mend_embedding,
    check_mend_noising,
    check_mend_pixels,
)
from ddpm_lib.exercises.clinic_walk import check_company, check_mend_step, check_mend_times
from ddpm_lib.exercises.clipped_mean import check_clipped_mean
from ddpm_lib.exercises.copies import check_share_of_copies
from ddpm_lib.exercises.correlation import check_correlation
from ddpm_lib.exercises.cross_attention import check_cross_attention
from ddpm_lib.exercises.ddim import check_clean_end, check_ddim
from ddpm_lib.exercises.dynamic_threshold import check_dynamic_threshold
from ddpm_lib.exercises.editing import (
    check_edit_calls,
    check_forgets,
    check_invert_step,
    check_replace,
)
from ddpm_lib.exercises.engineering import check_break_even, check_faster_whole, check_share_of_products
from ddpm_lib.exercises.entropy import check_entropy
from ddpm_lib.exercises.euler import check_euler
from ddpm_lib.exercises.experiment import (
    check_epoch_steps,
    check_excess,
    check_seconds,
    check_training_cost,
    check_widest_gap,
)
from ddpm_lib.exercises.few_steps import (
    check_halvings,
    check_landing,
    check_mean_of_ends,
    check_pays_off,
    check_spread_kept,
)
from ddpm_lib.exercises.forward import check_one_step, check_pixel, check_two_steps
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.exercises.gray_level import check_log_level
from ddpm_lib.exercises.guidance import (
    check_drop_labels,
    check_guided,
    check_scale,
)
from ddpm_lib.exercises.javascript import (
    check_loads,
    check_round_even,
    check_round_weights,
    check_window,
)
from ddpm_lib.exercises.jump import check_q_sample
from ddpm_lib.exercises.left_over import check_left_over
from ddpm_lib.exercises.loss import check_least_error, check_score_from_x0, check_x0_weight
from ddpm_lib.exercises.missing_ink import check_missing_ink
from ddpm_lib.exercises.narrower import check_narrower
from ddpm_lib.exercises.noise_loss import check_noise_loss
from ddpm_lib.exercises.noise_scale import check_noise_scale
from ddpm_lib.exercises.notation import check_diffusers_index, check_reparameterize, check_sum_of_gaussians
from ddpm_lib.exercises.one_idea import (
    check_clocks,
    check_langevin,
    check_score_from_velocity,
    check_tweedie,
    check_velocity_from_eps,
)
from ddpm_lib.exercises.posterior import check_posterior, check_shares
from ddpm_lib.exercises.predict import (
    check_best_linear,
    check_early_shares,
    check_new_weights,
    check_three_errors,
)
from ddpm_lib.exercises.probability_flow import (
    check_divergence,
    check_extrapolate,
    check_heun,
    check_shares_of_noise,
    check_steps_for_calls,
)
from ddpm_lib.exercises.quality import (
    check_bits,
    check_frechet,
    check_limit,
)
from ddpm_lib.exercises.race import check_race
from ddpm_lib.exercises.receptive_field import check_blocks_needed, check_dilated_view, check_view
from ddpm_lib.exercises.repairing_weight import check_repairing_weight
from ddpm_lib.exercises.repairs import check_repair_factor
from ddpm_lib.exercises.resnet import (
    check_add_time,
    check_residual,
)
from ddpm_lib.exercises.reverse_step import check_mean_from_eps, check_reverse_mean
from ddpm_lib.exercises.reverse_variance import check_reverse_variance
from ddpm_lib.exercises.rounding_noise import check_coarser, check_layer_noise
from ddpm_lib.exercises.sampling import check_line_4, check_loop
from ddpm_lib.exercises.scale import (
    check_images_that_fit,
    check_least_images,
    check_rescale,
)
from ddpm_lib.exercises.schedules import check_cosine_beta, check_shift, check_smallest_T
from ddpm_lib.exercises.slips import check_bend, check_grow
from ddpm_lib.exercises.steps import check_enough_steps, check_timesteps
from ddpm_lib.exercises.tilted_variance import check_tilted_variance
from ddpm_lib.exercises.time_factor import check_time_factor
from ddpm_lib.exercises.two_in_one import check_two_in_one
from ddpm_lib.exercises.unet import (
    check_conv_cost,
    check_middle,
    check_similarity,
    check_time_embedding,
)
from ddpm_lib.exercises.v_weight import check_v_weight
from ddpm_lib.exercises.variance import check_nu, check_step_cost
from ddpm_lib.exercises.where import (
    check_block_cost,
    check_gated,
    check_smaller,
    check_unit_latent,
)
from ddpm_lib.exercises.which_lump import check_share_above

# every grader that is imported above
__all__ = ["Mistake", "Verdict", "grade", *sorted(name for name in dir() if name.startswith("check_"))]

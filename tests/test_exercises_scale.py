"""The graders of the chapter on many GPUs: the right answer passes, and each mistake is named."""

from ddpm_lib.train.machine.cost import Cost, ring_bytes, scale_batch, step_seconds, training_bytes
from tests.graders import grader_tests


def by_search(memory: float, parameters: float, activations: float) -> int:
    """Add images until the library's own formula says that they no longer fit."""
    images, one = 0, Cost(int(parameters), 0, int(activations))
    while training_bytes(one, images + 1) <= 0.8 * memory:
        images += 1
    return images


def by_bisection(n: float, parameters: float, flops: float, rate: float, link: float) -> float:
    """Where the library's step begins to take no longer than its computation."""
    low, high, traffic = 0.0, 1e6, ring_bytes(int(parameters), int(n)) / link
    for _ in range(80):
        middle = (low + high) / 2
        compute = 3 * flops * middle / rate
        low, high = (low, middle) if step_seconds(compute, traffic) <= compute else (middle, high)
    return high


RIGHT: dict[str, object] = {
    "check_images_that_fit": by_search,
    "check_rescale": lambda lr, ema, k: scale_batch(64, lr, ema, 1000, k)[1:3],
    "check_least_images": by_bisection,
}
WRONG: list[tuple[str, object, str]] = [
    ("check_images_that_fit", lambda m, p, a: (0.8 * m - 20 * p) / a, "Round down"),
    ("check_images_that_fit", lambda m, p, a: m / a, "off by up to"),
    ("check_rescale", lambda lr, ema, k: (k * lr, ema**k), "Adam takes the root"),
    ("check_rescale", lambda lr, ema, k: (lr * k**0.5, ema), "k times fewer steps"),
    ("check_rescale", lambda lr, ema, k: lr, "2 numbers"),
    ("check_least_images", lambda n, p, f, r, w: 8 * p / w * r / (2 * f), "In n - 1 turns"),
]


TestGraders = grader_tests(RIGHT, set(), WRONG)

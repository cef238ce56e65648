"""Answers to the exercises of the chapter on guidance."""

import torch

from tests.bank import Answers, Bank


def drop(y, u, share, null):
    return torch.where(u < share, null, y)


def drop_in_place(y, u, share, null):
    y[u < share] = null
    return y


def drop_by_list(y, u, share, null):
    return [null if draw < share else label for label, draw in zip(y.tolist(), u.tolist(), strict=True)]


def guided(network, xt, t, y, w, classes, null=None):
    nobody = torch.full_like(y, classes if null is None else null)
    return (1 + w) * network(xt, t, y) - w * network(xt, t, nobody)


def in_one_batch(network, xt, t, y, w, classes):
    both = torch.cat([y, torch.full_like(y, classes)])
    with_class, without = network(xt.repeat(2, 1), t.repeat(2), both).chunk(2)
    return without + (1 + w) * (with_class - without)


def without_labels(network, xt, t, y, w, classes):
    with_class = network(xt, t, y)
    return with_class + w * (with_class - network(xt, t))


def tilted(v_y, v, w):
    return 1 / ((1 + w) / v_y - w / v)


def by_sum(v_y, v, w):
    """The variance of p(x | y)^(1 + w) / p(x)^w on a fine grid."""
    x = torch.linspace(-20, 20, 40_001).double()
    p = (-(1 + w) * x**2 / (2 * v_y) + w * x**2 / (2 * v)).exp()
    return float((x**2 * p).sum() / p.sum())


def level(x, share):
    return x.abs().flatten(1).quantile(share, dim=1)[:, None, None, None]


def threshold(x, share, s=None):
    s = level(x, share).clamp(min=1) if s is None else s
    return x.clamp(-s, s) / s


def one_by_one(x, share):
    def bring(picture):
        s = max(1.0, float(picture.abs().quantile(share)))
        return (picture / s).clamp(-1, 1)

    return torch.stack([bring(picture) for picture in x])


BANK: Bank = {
    "check_scale": Answers(
        right=[6.5, torch.tensor(6.5), 7.5 - 1],
        wrong=[
            (7.5, "the program's own number"),
            (8.5, "The other way"),
            (-6.5, "eps_null"),
            ("6.5", "made of numbers"),
            (1 / 7.5, "off by up to"),
        ],
    ),
    "check_drop_labels": Answers(
        right=[drop, drop_in_place, drop_by_list],
        wrong=[
            (lambda y, u, share, null: torch.where(u < share, y, null), "the share that should go"),
            (lambda y, u, share, null: y * (u >= share), "Label 0 is a class"),
            (lambda y, u, share, null: drop(y, u, share, null - 1), "last class"),
            (lambda y, u, share, null: drop(y, u[:1], share, null), "Each picture has its own"),
            (lambda y, u, share, null: y[u >= share], "was expected"),
            (lambda y, u, share, null: drop(y, u, share, -1), "no row -1"),
            (lambda y, u, share, null: drop(y, u, 1 - share, null), "share that stays"),
            (lambda y, u, share, null: drop(y, torch.arange(len(y)) / len(y), share, null), "always dropped"),
        ],
    ),
    "check_guided": Answers(
        right=[guided, in_one_batch, without_labels],
        wrong=[
            (lambda *p: guided(*p, null=0), "as it was"),
            (lambda *p: guided(*p, null=-1), "no row -1"),
            (lambda *p: guided(*p, null=p[-1] - 1), "last class is still a class"),
            (
                lambda network, xt, t, y, w, classes: guided(network, xt, t, y, w - 1, classes),
                "other convention",
            ),
            (lambda network, xt, t, y, w, classes: network(xt, t, y), "plain conditional"),
            (lambda n, xt, t, y, w, classes: w * (n(xt, t, y) - n(xt, t)), "the change alone"),
            (
                lambda network, xt, t, y, w, classes: guided(network, xt, t, y, -1 - w, classes),
                "changed places",
            ),
            (
                lambda network, xt, t, y, w, classes: network(xt, t, y) - w * network(xt, t, y * 0 + classes),
                "add up to 1",
            ),
        ],
    ),
    "check_tilted_variance": Answers(
        right=[tilted, by_sum, lambda v_y, v, w: v_y * v / ((1 + w) * v - w * v_y)],
        wrong=[
            (lambda v_y, v, w: v_y ** (1 + w) / v**w, "where the walk ends"),
            (lambda v_y, v, w: v_y / (1 + w), "takes precision away"),
            (lambda v_y, v, w: 1 / (w / v_y - w / v), "power 1 + w"),
            (lambda v_y, v, w: 1 / (1 / v_y + w / v), "up to a factor"),
            (lambda v_y, v, w: 1 / ((1 + w) / v_y + w / v), "subtracted"),
            (lambda v_y, v, w: 1 / tilted(v_y, v, w), "one over it"),
            (lambda v_y, v, w: (1 + w) * v_y - w * v, "variances do not"),
            (lambda *p: tilted(*p) ** 0.5, "square root"),
        ],
    ),
    "check_dynamic_threshold": Answers(
        right=[threshold, one_by_one, lambda x, share: threshold(x.double(), share).clip(-1, 1).numpy()],
        wrong=[
            (lambda x, share: x.clip(-1, 1), "fixed clipping"),
            (lambda x, share: threshold(x, share, level(x, share)), "left alone"),
            (lambda x, share: x / level(x, share).clamp(min=1), "not clipped"),
            (lambda x, share: threshold(x, share) * level(x, share).clamp(min=1), "divide by it"),
            (
                lambda x, share: threshold(x, share, x.abs().quantile(share).clamp(min=1)),
                "picture by picture",
            ),
            (lambda x, share: torch.cat([threshold(c, share) for c in x.split(1, 1)], 1), "per channel"),
            (
                lambda x, share: threshold(x, share, x.abs().amax((1, 2, 3), keepdim=True).clamp(min=1)),
                "brightest",
            ),
        ],
    ),
    "check_repairing_weight": Answers(
        right=[1.5, torch.tensor(1.5), 1 / 0.4 - 1, 1.49],
        wrong=[
            (2.5, "Subtract 1"),
            (0.4, "the share that the network has learned"),
            (0.6, "the share that is missing"),
            (0, "Without guidance"),
            (1, "Better, but not all"),
            (2, "Too far"),
            ("1.5", "made of numbers"),
            (1.3, "off by up to"),
        ],
    ),
}

"""Grader of the chapter on the posterior: which of its two factors is narrower."""

from __future__ import annotations

from ddpm_lib.exercises.grading import Verdict, grade_value

PRIOR, LIKELIHOOD = 0.0, 1.0  # what the words stand for


def check_narrower(answer: object) -> Verdict:
    """answer: "prior" or "likelihood" for the steps 20 -> 19 and 20 -> 10 on linear_schedule(50), in a tuple."""
    words = {"prior": PRIOR, "likelihood": LIKELIHOOD}
    answer = getattr(answer, "tolist", lambda: answer)()  # an array of words
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    for part in parts:
        known = (
            part.strip().lower() in words if isinstance(part, str) else part in (PRIOR, LIKELIHOOD, None, ...)
        )
        if isinstance(part, bool) or not known:
            return Verdict(False, f"Answer with 'prior' or 'likelihood', twice; {part!r} is neither.")
    numbers = [words[part.strip().lower()] if isinstance(part, str) else part for part in parts]
    near = "at s = 19 the prior includes the noise of 19 steps, and the likelihood only that of one"
    far = "at s = 10 the likelihood is as wide as ten steps together, and they are larger than the prior's first ten"
    mistakes: list[tuple[object, str]] = [
        ((PRIOR, LIKELIHOOD), f"It is the other way round: {near}; {far}."),
        ((LIKELIHOOD, LIKELIHOOD), f"s = 19 is right. But {far}."),
        ((PRIOR, PRIOR), f"s = 10 is right. But {near}."),
    ]
    praise = "Against one step the prior is broad; against ten large steps it is the narrower one."
    given = tuple(numbers) if isinstance(answer, tuple | list) else numbers[0]
    return grade_value(given, (LIKELIHOOD, PRIOR), mistakes, praise)

"""When an estimate has done worse than the next rung beyond doubt, and when it may count again.

Somebody looks every hour, so a bound for one look would be passed by chance sooner or later. The
bounds here are a confidence sequence: they hold for all looks together at answers that only become
more, asymptotically. Whoever lets old answers drop out, as judging does after thirty days, has
that as a guide and no guarantee. Data in and data out.
"""

import math

from tutor.scheduling.scoring import Compared

# Fewer answers or learners say more about chance than about the estimate.
LEAST_ANSWERS = 100
LEAST_LEARNERS = 8
# Chance, over all looks together at answers that only become more, that it is taken out of a place
# where it changes nothing (where it helps, far less), and that it is ever let back where it harms
# by more than is tolerated. Over a sliding window it is aimed at, not guaranteed. The first mistake
# costs nothing, the second learners' time.
WRONGLY_OUT = 0.05
WRONGLY_BACK = 0.01
# Harm that need not be excluded before it counts again, nats an answer: less is worth nobody's
# waiting, and could only be excluded by answers of years.
TOLERATED = 0.005
# The bound is tightest, in standard errors, for some ten times as many answers.
SHARPEST_FROM = 100.0


def is_telling(found: Compared) -> bool:
    """Test whether there are answers and learners enough to say anything."""
    enough = found.n >= LEAST_ANSWERS and found.learners >= LEAST_LEARNERS
    return enough and not math.isnan(found.error)


def decide(found: Compared, *, counted: bool, returns: int = 0) -> bool | None:
    """Return whether the estimate counts from now on; None where that stays as it is.

    It is taken out where it does worse beyond doubt. It comes back where it did no worse and,
    beyond doubt, does no more harm than `TOLERATED`: not by luck in the first hundred answers. What
    tips the one cannot tip the other: the mean has to move by more than a bound's width.

    Args:
        found: on answers since the verdict before.
        counted: whether it counts now.
        returns: how often it came back here already. Each time half the error is left, so that all
            returns together are wrong with `WRONGLY_BACK`.
    """
    if not is_telling(found):
        return None
    if counted:
        return False if found.difference > half_width(found, error_rate=WRONGLY_OUT) else None
    width = half_width(found, error_rate=WRONGLY_BACK * 0.5 ** (returns + 1))
    return True if found.difference <= min(0.0, TOLERATED - width) else None


def half_width(found: Compared, *, error_rate: float) -> float:
    """Return by how much the mean may be off to one side, at any of infinitely many looks, nats.

    Looks at the first n answers, n growing; not at a window that slides over them.

    Raises:
        ValueError: the rate is not within (0, 0.5).
    """
    if not 0.0 < error_rate < 0.5:
        message = f"An error rate lies between 0 and 0.5, not at {error_rate}."
        raise ValueError(message)
    factor = standard_errors(found.n, error_rate=error_rate)
    return found.error * as_student(factor, freedom=found.learners - 1)


def standard_errors(n: int, *, error_rate: float) -> float:
    """Return the half-width of a one-sided asymptotic confidence sequence in standard errors.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52(6), 2024, arXiv:2103.06476: the
    one-sided Gaussian mixture, with rho^2 = 1 / `SHARPEST_FROM`.
    """
    ahead = 1.0 + n / SHARPEST_FROM
    spread = 2.0 * ahead / (n / SHARPEST_FROM)
    return math.sqrt(spread * math.log1p(math.sqrt(ahead) / (2.0 * error_rate)))


def as_student(normal: float, *, freedom: int) -> float:
    """Return the quantile of Student's t where the normal distribution has this one.

    A standard error from few learners is itself uncertain. After Wallace, "Bounds on normal
    approximations to Student's and the chi-square distributions", Annals of Mathematical
    Statistics 30(4), 1959.
    """
    scaled = normal * (8.0 * freedom + 3.0) / (8.0 * freedom + 1.0)
    return math.sqrt(freedom * math.expm1(scaled * scaled / freedom))

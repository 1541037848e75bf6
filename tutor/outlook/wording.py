"""Forecasts in words: what goes together in learners seen, never what would follow."""

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def say_driver(name: str, facts: Facts) -> str:
    """Return what a driver stands for in this learner's numbers."""
    if name in _OF_ANSWERS and not facts["recent"]:
        return "no answer yet"
    return _DRIVERS[name](facts)


def say_drivers(drivers: Sequence[Sequence[Any]], facts: Facts) -> tuple[str, ...]:
    """Return the drivers in words, each with the way in which it counts; the same words once."""
    effects: dict[str, float] = {}
    for name, effect in drivers:
        said = say_driver(name, facts)
        effects[said] = effects.get(said, 0.0) + effect
    return tuple(
        f"{'speaks for it' if effect > 0.0 else 'speaks against it'}: {said}"
        for said, effect in effects.items()
    )


def _work_left(facts: Facts) -> str:
    return f"{facts['left']} of {_topics(facts['wanted'])} still to be mastered"


def _distance(_: Facts) -> str:
    return "how far what is left lies from mastery, by the answers so far"


def _untouched(facts: Facts) -> str:
    return f"{_topics(facts['untouched'])} of what is left without an answer yet"


def _practice(facts: Facts) -> str:
    return (
        f"practice on {_many(facts['days_per_week'], 'day')} a week lately, "
        f"{_number(facts['answers_per_day'])} answers a day"
    )


def _success(facts: Facts) -> str:
    return f"{_number(facts['right'])} of the last {facts['recent']} answers right without help"


def _help(facts: Facts) -> str:
    return f"{facts['helped']} of the last {facts['recent']} answers after help"


def _idle(facts: Facts) -> str:
    return f"last answer {_days(facts['idle_days'])} ago"


def _pace(facts: Facts) -> str:
    return f"{_topics(facts['lately_mastered'])} mastered in the last two weeks"


def _focus(facts: Facts) -> str:
    return f"{facts['on_goal']} of the last {facts['recent']} answers on what is left"


_DRIVERS = {
    "work-left": _work_left,
    "distance": _distance,
    "untouched": _untouched,
    "practice": _practice,
    "success": _success,
    "help": _help,
    "idle": _idle,
    "pace": _pace,
    "focus": _focus,
}
# Of the last answers: there is nothing to say of them where nobody has answered.
_OF_ANSWERS = frozenset({"practice", "success", "help", "idle", "focus"})


def say_change(change: Mapping[str, Any] | None) -> str:
    """Return the smallest change in words; empty where there is none to tell."""
    if change is None or not all(one["like"] for one in change.get("steps", ())):
        return ""
    if "later_days" in change:
        days = change["later_days"]
        return (
            "No change of habits seen in other learners goes with reaching it by the date; with "
            f"the date {days} day{'' if days == 1 else 's'} later the forecast would not be at "
            "risk."
        )
    what = " and ".join(_say_step(one) for one in change["steps"])
    shares = "; ".join(_say_shares(one["like"]) for one in change["steps"])
    return (
        f"Learners like this who had {what} reached such goals more often ({shares}); with that "
        f"the forecast would be {change['chance']:.0%}. What goes together need not be the cause."
    )


_HABITS = {
    "days_per_week": "{then} days of practice a week instead of {now}",
    "answers_per_day": "{then} answers a day instead of {now}",
    "on_goal_share": "{then} of their answers on what was left instead of {now}",
    "help_share": "{then} of their answers after help instead of {now}",
}
_SHARES = frozenset({"on_goal_share", "help_share"})


def _say_step(step: Mapping[str, Any]) -> str:
    form = _percent if step["feature"] in _SHARES else _number
    return _HABITS[step["feature"]].format(now=form(step["now"]), then=form(step["then"]))


def _say_shares(like: Sequence[Sequence[float]]) -> str:
    (now, few), (then, many) = like
    return f"{then:.0%} among {int(many)} learners against {now:.0%} among {int(few)}"


def say_record(calibration: Sequence[Sequence[float]], chance: float) -> str:
    """Return how forecasts of about this chance did on learners held out; empty without any."""
    for low, high, n, _, came in calibration:
        if low <= chance < high or (chance == high == 1.0):
            return (
                f"Of {int(n)} forecasts between {low:.0%} and {high:.0%} of learners kept apart, "
                f"{came:.0%} came true."
            )
    return ""


def say_source(evidence: Mapping[str, Any] | None) -> str:
    """Return what a forecast is by, and how often naming a learner was right."""
    if evidence is None:
        return (
            "By a rule of thumb, because the course has too few answers for more, or because more "
            "did no better: share of the goal against share of the time, and the pace so far. It "
            "gives no chance."
        )
    ours = evidence["methods"]["hazard"]
    precision, recall = ours["precision"]["value"], ours["recall"]["value"]
    apart = f"On {evidence['learners']['test']} learners kept apart"
    if precision is None:
        return f"{apart}, nobody was named at risk."
    return (
        f"{apart}, {precision:.0%} of those named at risk missed their date, and {recall:.0%} of "
        "those who missed it were named; most of these dates were drawn from the log, not set by a "
        "teacher."
    )


def _topics(n: int) -> str:
    return f"{n} topic{'' if n == 1 else 's'}"


def _days(n: float) -> str:
    if n < 1.0:
        return "less than a day"
    return f"{round(n)} day{'' if round(n) == 1 else 's'}"


def _many(value: float, what: str) -> str:
    return f"{_number(value)} {what}{'' if _number(value) == '1' else 's'}"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"

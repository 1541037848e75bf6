"""Alerts in words, with their numbers. What goes together is never told as a cause."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from tutor.alerts.kinds import Kind
from tutor.tracing.bands import percent_of

Facts = Mapping[str, Any]


def say(kind: Kind, facts: Facts, *, at: dt.datetime) -> str:
    """Return why, in one or two sentences with numbers; `at` is the moment it is read.

    Facts that an action was recorded with by hand may say nothing: then only the kind is told.
    """
    if not set(facts) - {"names"}:
        return f"{kind.label.capitalize()}."
    return _SAID[kind](facts, at)


def _help(facts: Facts, at: dt.datetime) -> str:
    asked = dt.datetime.fromisoformat(facts["asked_at"])
    times = "" if facts["count"] == 1 else f" {facts['count']} times, last"
    on = f" at “{facts['topic']}”" if facts["topic"] else ""
    return f"Asked for help{times} {say_when(asked, at)}{on}."


def _stuck(facts: Facts, _: dt.datetime) -> str:
    told = [f"{_many(one['answers'], 'answer')} on “{one['topic']}”" for one in facts["topics"][:3]]
    more = len(facts["topics"]) - len(told)
    rest = f" and {_many(more, 'more topic')}" if more else ""
    them = "its" if len(facts["topics"]) == 1 else "their"
    return (
        f"Not mastered after {_list(told)}{rest}: {them} questions wait until you let them go on."
    )


def _streak(facts: Facts, at: dt.datetime) -> str:
    on = f", most of them on “{facts['topic']}”" if "topic" in facts else ""
    last = dt.datetime.fromisoformat(facts["last_at"])
    return (
        f"The last {facts['wrong']} first answers were wrong{on}; the newest {say_when(last, at)}."
    )


def _idea(facts: Facts, _: dt.datetime) -> str:
    on = f", most often at “{facts['topic']}”" if "topic" in facts else ""
    return (
        f"{facts['learners']} of {_many(facts['of'], 'learner')} showed the same wrong idea in "
        f"the last 7 days: “{facts['name']}”{on}."
    )


def _topic(facts: Facts, _: dt.datetime) -> str:
    return (
        f"“{facts['topic']}” mostly went wrong for {facts['learners']} of "
        f"{_many(facts['of'], 'learner')} in the last 7 days."
    )


def _untaught(facts: Facts, _: dt.datetime) -> str:
    return (
        f"{facts['learners']} of {_many(facts['of'], 'learner')} said in the last 14 days that "
        f"they have not learnt “{facts['topic']}” yet."
    )


def _risk(facts: Facts, _: dt.datetime) -> str:
    told = " ".join(_goal(one) for one in facts["goals"][:2])
    more = len(facts["goals"]) - 2
    rest = f" {_many(more, 'more date')} at risk." if more > 0 else ""
    against = f" What speaks against it: {'; '.join(facts['against'])}." if facts["against"] else ""
    return f"{told}{rest}{against}"


def _goal(goal: Facts) -> str:
    due = timezone.localtime(dt.datetime.fromisoformat(goal["due_at"]))
    left = f"{goal['left']} of {_many(goal['wanted'], 'topic')} left"
    what = f"“{goal['title']}” is due {date_format(due, 'j M')}, {left}"
    if goal["chance"] is None:
        return f"{what}; behind at the pace so far."
    return f"{what}; the chance to master them by then is {percent_of(goal['chance'])} %."


def _quiet(facts: Facts, _: dt.datetime) -> str:
    days = _many(facts["days"], "day")
    silent = f"No answer for {days}" if facts["last_at"] else f"No answer yet, after {days}"
    return (
        f"{silent}, while “{facts['title']}” runs and {facts['peers']} of "
        f"{facts['others']} others practised in the last {_many(facts['within'], 'day')}."
    )


def _hints(facts: Facts, _: dt.datetime) -> str:
    return (
        f"{facts['skimmed']} of the last {_many(facts['of'], 'answer')} came after hints that were "
        "opened faster than they can be read."
    )


def _guessing(facts: Facts, _: dt.datetime) -> str:
    return (
        f"{facts['fast']} of the last {_many(facts['of'], 'answer')} came in less than "
        f"{_many(facts['seconds'], 'second')}; {facts['right']} of them were right."
    )


def _fading(facts: Facts, _: dt.datetime) -> str:
    named = [f"“{one['topic']}”" for one in facts["topics"]]
    more = facts["fell"] - len(named)
    rest = f" and {more} more" if more else ""
    verb = "is" if facts["fell"] == 1 else "are"
    return (
        f"{facts['fell']} of {_many(facts['awarded'], 'awarded topic')} {verb} back at "
        f"“learning”: {_list(named)}{rest}. Awards stay; reviews come by themselves."
    )


_SAID: dict[Kind, Callable[[Facts, dt.datetime], str]] = {
    Kind.HELP: _help,
    Kind.STUCK: _stuck,
    Kind.STREAK: _streak,
    Kind.IDEA: _idea,
    Kind.TOPIC: _topic,
    Kind.UNTAUGHT: _untaught,
    Kind.RISK: _risk,
    Kind.QUIET: _quiet,
    Kind.HINTS: _hints,
    Kind.GUESSING: _guessing,
    Kind.FADING: _fading,
}


def say_when(moment: dt.datetime, at: dt.datetime) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    minutes = max(int((at - moment).total_seconds() // 60), 0)
    if minutes < 2:
        return "just now"
    if minutes < 60:
        return f"{minutes} minutes ago"
    hours = minutes // 60
    if hours < 24:
        return f"{_many(hours, 'hour')} ago"
    days = (timezone.localdate(at) - timezone.localdate(moment)).days
    return f"{_many(max(days, 1), 'day')} ago"


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _list(parts: Sequence[str]) -> str:
    """Return parts as one reads them out.

    >>> _list(["a", "b", "c"])
    'a, b and c'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

"""The one sentence that a learner reads for a decision."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy, gettext_noop, ngettext

from tutor.content.selectors import CourseBank
from tutor.scheduling.models import Decision

# Marked for translators here and translated where they are shown.
CHIPS = {
    "learn-new": gettext_noop("New"),
    "practise": gettext_noop("Practice"),
    "review-due": gettext_noop("Review"),
    "probe": gettext_noop("Finding out"),
    "placement": gettext_noop("Where you stand"),
    "step-back": gettext_noop("A step back"),
    "worked-example": gettext_noop("With help at hand"),
    "backfill": gettext_noop("Needed first"),
    "teacher-pick": gettext_noop("From your teacher"),
    "explore": gettext_noop("A change"),
    "pilot": gettext_noop("Trying this one out"),
    "asked-again": gettext_noop("Still there?"),
}
FINISHES = {
    "all-mastered": gettext_lazy("You have mastered everything that was asked for here."),
    "assignment-empty": gettext_lazy("There are no questions here yet. Your teacher can add some."),
    "exhausted-for-now": gettext_lazy(
        "You have seen every question that fits you now. Take a break."
    ),
    "limit-reached": gettext_lazy(
        "That was the last question of this session. Well done for finishing."
    ),
    "closed": gettext_lazy("This assignment is closed."),
    "blocked": gettext_lazy(
        "There is no question that fits you now. Your teacher has to look at this."
    ),
    "quota-used": gettext_lazy("You have done as much here as your teacher wants for now."),
    "stuck": gettext_lazy(
        "You have worked hard on this. Your teacher is told, and will help you on."
    ),
    "set-aside": gettext_lazy("What is left is what you put off today. It waits for you."),
    "stopped": gettext_lazy("You stopped here. You can go on whenever you like."),
    "switched": gettext_lazy("You went on to something else."),
}
OVER = gettext_lazy("This session is over.")
_SENTENCES = {
    "practise": gettext_noop(
        "You are on the way with %(concept)s; this one should be about right for you."
    ),
    "review-due": gettext_noop("Last seen %(ago)s; let us keep %(concept)s fresh."),
    "probe": gettext_noop("Let us find out where you stand with %(concept)s."),
    "placement": gettext_noop("A few questions to find where you stand, here on %(concept)s."),
    "step-back": gettext_noop("%(other)s was hard; %(concept)s helps with it."),
    "worked-example": gettext_noop(
        "%(concept)s is hard just now; take your time, and the help below the question."
    ),
    "backfill": gettext_noop("%(other)s builds on %(concept)s, so this comes first."),
    "teacher-pick": gettext_noop("Your teacher chose this question for you."),
    "asked-again": gettext_noop("You practised %(concept)s %(ago)s; let us see what has stayed."),
    "explore": gettext_noop("A question drawn at random now and then, here on %(concept)s."),
    "pilot": gettext_noop("A new question on %(concept)s; it does not count for or against you."),
}


def chip(decision: Decision) -> str:
    """Return the kind of reason in a word or two."""
    if decision.reason == "learn-new" and decision.reason_facts.get("evidence_n"):
        return gettext("Learning")
    return gettext(CHIPS.get(decision.reason, "Next"))


def sentence(decision: Decision, bank: CourseBank) -> str:
    """Return why this item, in one sentence for the learner."""
    if decision.item_version_id is None:
        return str(FINISHES.get(decision.reason, OVER))
    facts = decision.reason_facts
    names = {
        "concept": _name(bank, facts.get("concept")),
        "other": _name(bank, facts.get("for_concept")),
        "ago": _ago(facts.get("days_since")),
    }
    if decision.reason == "learn-new":
        return _capital(_learn(bank, facts, names))
    told = _SENTENCES.get(decision.reason)
    return _capital((gettext(told) if told else gettext("Next: %(concept)s.")) % names)


def _learn(bank: CourseBank, facts: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if facts.get("evidence_n"):
        return gettext("You have begun with %(concept)s; here is more of it to learn from.") % names
    index = bank.index_of_concept.get(facts.get("concept"))
    needed = [bank.concept_names[r] for c, r in bank.requires if c == index]
    if needed:
        told = gettext("You are ready for %(concept)s, which builds on %(needed)s.")
        return told % {**names, "needed": _listed(needed)}
    told = gettext("You can start with %(concept)s at once: nothing has to come before it.")
    return told % names


def _name(bank: CourseBank, concept_id: object) -> str:
    index = bank.index_of_concept.get(concept_id) if isinstance(concept_id, int) else None
    if index is None:
        return gettext("this topic")
    return gettext("“%(name)s”") % {"name": bank.concept_names[index]}


def _ago(days: object) -> str:
    if not isinstance(days, int | float):
        return gettext("a while ago")
    if days < 1.0:
        return gettext("earlier today") if days < 0.5 else gettext("yesterday")
    whole = round(days)
    if whole < 2:
        return gettext("yesterday")
    return ngettext("%(days)d day ago", "%(days)d days ago", whole) % {"days": whole}


def _listed(names: list[str]) -> str:
    quoted = [gettext("“%(name)s”") % {"name": name} for name in names]
    if len(quoted) == 1:
        return quoted[0]
    return gettext("%(first)s and %(last)s") % {
        "first": ", ".join(quoted[:-1]),
        "last": quoted[-1],
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""The one sentence that a learner reads for a decision."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tutor.content.selectors import CourseBank
from tutor.scheduling.models import Decision

CHIPS = {
    "learn-new": "New",
    "practise": "Practice",
    "review-due": "Review",
    "probe": "Finding out",
    "placement": "Where you stand",
    "step-back": "A step back",
    "worked-example": "With an example",
    "backfill": "Needed first",
    "teacher-pick": "From your teacher",
    "explore": "A change",
    "pilot": "Trying out",
    "asked-again": "Still there?",
}
FINISHES = {
    "all-mastered": "You have mastered everything that was asked for here.",
    "assignment-empty": "There are no questions here yet. Your teacher can add some.",
    "exhausted-for-now": "You have seen every question that fits you now. Take a break.",
    "limit-reached": "That was the last question of this session. Well done for finishing.",
    "closed": "This assignment is closed.",
    "blocked": "There is no question that fits you now. Your teacher has to look at this.",
    "quota-used": "You have done as much here as your teacher wants for now.",
    "stuck": "You have worked hard on this. Your teacher is told, and will help you on.",
    "stopped": "You stopped here. You can go on whenever you like.",
    "switched": "You went on to another assignment.",
}


def chip(decision: Decision) -> str:
    """Return the kind of reason in a word or two."""
    if decision.reason == "learn-new" and decision.reason_facts.get("evidence_n"):
        return "Learning"
    return CHIPS.get(decision.reason, "Next")


def sentence(decision: Decision, bank: CourseBank) -> str:
    """Return why this item, in one sentence for the learner."""
    if decision.item_version_id is None:
        return FINISHES.get(decision.reason, "This session is over.")
    facts = decision.reason_facts
    concept = _name(bank, facts.get("concept"))
    other = _name(bank, facts.get("for_concept"))
    days = facts.get("days_since")
    sentences = {
        "learn-new": _learn(bank, facts, concept),
        "practise": f"You are on the way with {concept}; this one should be about right for you.",
        "review-due": f"You have not practised {concept} {_for_days(days)}; let us keep it fresh.",
        "probe": f"Let us find out where you stand with {concept}.",
        "placement": f"A few questions to find where you stand, here on {concept}.",
        "step-back": f"{other} was hard; {concept} helps with it.",
        "worked-example": f"{concept} is hard just now; look at a worked one, then try this.",
        "backfill": f"{other} builds on {concept}, so this comes first.",
        "teacher-pick": "Your teacher chose this question for you.",
        "asked-again": f"You practised {concept} {_ago(days)}; let us see what has stayed.",
        "explore": f"A question drawn at random now and then, here on {concept}.",
        "pilot": f"A new question on {concept}; it is being tried out and does not count.",
    }
    return _capital(sentences.get(decision.reason, f"Next: {concept}."))


def _learn(bank: CourseBank, facts: Mapping[str, Any], concept: str) -> str:
    if facts.get("evidence_n"):
        return f"You have begun with {concept}; here is more of it to learn from."
    index = bank.index_of_concept.get(facts.get("concept"))
    needed = [bank.concept_names[r] for c, r in bank.requires if c == index]
    if needed:
        return f"You are ready for {concept}, which builds on {_listed(needed)}."
    return f"You can start with {concept} at once: nothing has to come before it."


def _name(bank: CourseBank, concept_id: object) -> str:
    index = bank.index_of_concept.get(concept_id) if isinstance(concept_id, int) else None
    return "this topic" if index is None else f"“{bank.concept_names[index]}”"


def _for_days(days: object) -> str:
    if not isinstance(days, int | float):
        return "for a while"
    whole = dt.timedelta(days=days).days
    if whole < 1:
        return "since earlier today"
    return "for a day" if whole == 1 else f"for {whole} days"


def _ago(days: object) -> str:
    whole = round(days) if isinstance(days, int | float) else 0
    if whole < 2:
        return "yesterday"
    return f"{whole} days ago"


def _listed(names: list[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

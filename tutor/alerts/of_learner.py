"""What is noticed of single learners. Data in and data out."""

from collections.abc import Iterator
from typing import Any

from tutor.alerts.kinds import Kind
from tutor.alerts.reading import Answer
from tutor.alerts.seen import DAY, Alert, Seen
from tutor.tracing.bands import Band

# Holidays and a class that has stopped are nobody's silence: so many of the others practise.
PEERS = 0.25


def find_help(seen: Seen) -> Iterator[Alert]:
    """Who asked for help; whoever has waited longest comes first."""
    by_learner: dict[int, list[Any]] = {}
    for note in seen.looked.notes[seen.class_id]:
        since = seen.past.since(Kind.HELP, note.learner_id)
        if note.at <= seen.at and (since is None or note.at > since):
            by_learner.setdefault(note.learner_id, []).append(note)
    for learner_id, notes in by_learner.items():
        newest, oldest = notes[0], notes[-1]
        yield Alert(
            Kind.HELP,
            learner_id,
            tuple(str(note.pk) for note in notes),
            {
                "count": len(notes),
                "asked_at": newest.at.isoformat(),
                "topic": newest.concept_name or "",
            },
            weight=(seen.at - oldest.at).total_seconds(),
            text=newest.text,
        )


def find_stuck(seen: Seen) -> Iterator[Alert]:
    """Whom more questions have not helped; never on what is shown as mastered."""
    members = seen.looked.members[seen.class_id]
    by_learner: dict[int, list[Any]] = {}
    for one in seen.looked.waiting:
        known = one.concept_id in seen.looked.bank.index_of_concept
        is_ours = one.learner_id in members and known
        if is_ours and not seen.is_mastered(one.learner_id, one.concept_id):
            by_learner.setdefault(one.learner_id, []).append(one)
    for learner_id, waiting in by_learner.items():
        topics = [
            {
                "concept": one.concept_id,
                "answers": seen.answers_on(learner_id, one.concept_id),
                **seen.topic(one.concept_id),
            }
            for one in waiting
        ]
        yield Alert(
            Kind.STUCK,
            learner_id,
            tuple(str(one.concept_id) for one in waiting),
            {"topics": topics, "decision": str(waiting[0].decision)},
            weight=(seen.at - waiting[0].at).total_seconds(),
        )


def find_streak(seen: Seen) -> Iterator[Alert]:
    """Who has given many wrong first answers in a row, up to the newest one."""
    for learner_id in seen.members:
        own = seen.recent(Kind.STREAK, learner_id)
        wrong = next((n for n, one in enumerate(own) if one.is_right), len(own))
        if wrong < seen.limits.wrong_in_a_row:
            continue
        streak = own[:wrong]
        concepts = [one.concept_id for one in streak if one.concept_id is not None]
        most = max(concepts, key=concepts.count, default=None)
        facts = {"wrong": wrong, **seen.topic(most), **_shown(streak)}
        yield Alert(Kind.STREAK, learner_id, (Kind.STREAK,), facts, weight=wrong)


def _shown(answers: list[Answer]) -> dict[str, Any]:
    """Return by which receipt the newest of some answers is found, and when it came."""
    newest = answers[0]
    shown = {} if newest.presentation is None else {"receipt": str(newest.presentation)}
    return {"last_at": newest.at.isoformat(), **shown}


def find_risk(seen: Seen) -> Iterator[Alert]:
    """Who may miss a date, by the newest night's forecast; the least likely to reach it first."""
    members = seen.looked.members[seen.class_id]
    by_learner: dict[int, list[Any]] = {}
    for row in seen.looked.forecasts:
        is_ours = row.assignment.classroom_id == seen.class_id and row.learner.pk in members
        if is_ours and (row.chance is None or 100 * row.chance <= seen.limits.risk_percent):
            by_learner.setdefault(row.learner.pk, []).append(row)
    for learner_id, rows in by_learner.items():
        rows.sort(key=lambda row: (row.due_at, row.assignment.pk))
        worst = min(rows, key=lambda row: 1.0 if row.chance is None else row.chance)
        against = [line for line in worst.drivers if line.startswith("speaks against it")]
        goals = [
            {
                "title": row.assignment.title,
                "due_at": row.due_at.isoformat(),
                "chance": None if row.chance is None else round(row.chance, 4),
                "left": row.left,
                "wanted": row.wanted,
            }
            for row in rows
        ]
        yield Alert(
            Kind.RISK,
            learner_id,
            tuple(str(row.assignment.pk) for row in rows),
            {
                "goals": goals,
                "days_left": round((rows[0].due_at - seen.at) / DAY, 2),
                "against": [line.partition(": ")[2] for line in against[:2]],
                "change": worst.change,
                "forecast_at": worst.made_at.isoformat(),
            },
            weight=max(worst.behind, 0.0) if worst.chance is None else 1.0 - worst.chance,
        )


def find_quiet(seen: Seen) -> Iterator[Alert]:
    """Who has stopped while something runs and others go on; the longest silence first."""
    members, last_at = seen.looked.members[seen.class_id], seen.looked.last_at
    edge = seen.at - seen.limits.quiet_days * DAY
    active = {pk for pk in members if (moment := last_at.get(pk)) is not None and moment > edge}
    for learner_id, joined in members.items():
        others, peers = len(members) - 1, len(active - {learner_id})
        if learner_id in active or not peers or peers < PEERS * others:
            continue
        left = seen.unfinished(learner_id)
        if not left:
            continue
        last = last_at.get(learner_id)
        acted = seen.past.since(Kind.QUIET, learner_id)
        began = min(assignment.opens_at for assignment in left)
        since = max(moment for moment in (last, joined, began, acted) if moment is not None)
        days = int((seen.at - since) / DAY)
        if days < seen.limits.quiet_days:
            continue
        facts = {
            "days": days if last is None else int((seen.at - last) / DAY),
            "last_at": "" if last is None else last.isoformat(),
            "title": left[0].title,
            "peers": peers,
            "others": others,
            "within": seen.limits.quiet_days,
        }
        yield Alert(Kind.QUIET, learner_id, (Kind.QUIET,), facts, weight=days)


def find_hints(seen: Seen) -> Iterator[Alert]:
    """Who opens hint after hint without reading them (Aleven et al. 2006, help abuse)."""
    for learner_id in seen.members:
        own = seen.recent(Kind.HINTS, learner_id)
        skimmed = [one for one in own if one.skimmed]
        if len(skimmed) >= seen.limits.skimmed:
            facts = {"skimmed": len(skimmed), "of": len(own), **_shown(skimmed)}
            yield Alert(Kind.HINTS, learner_id, (Kind.HINTS,), facts, weight=len(skimmed))


def find_guessing(seen: Seen) -> Iterator[Alert]:
    """Who answers before they can have read the question, mostly wrongly.

    The common-threshold method for rapid guesses (Kong, Wise & Bhola 2007); that at most half of
    them are right keeps out whoever is just quick.
    """
    limit = 1000 * seen.limits.fast_seconds
    for learner_id in seen.members:
        own = seen.recent(Kind.GUESSING, learner_id)
        fast = [one for one in own if one.elapsed_ms is not None and one.elapsed_ms < limit]
        right = sum(one.is_right for one in fast)
        if len(fast) >= seen.limits.guessed and 2 * right <= len(fast):
            facts = {
                "fast": len(fast),
                "of": len(own),
                "right": right,
                "seconds": seen.limits.fast_seconds,
                **_shown(fast),
            }
            yield Alert(Kind.GUESSING, learner_id, (Kind.GUESSING,), facts, weight=len(fast))


def find_fading(seen: Seen) -> Iterator[Alert]:
    """Who has awards whose topics are shown as "learning" again."""
    for learner_id in seen.members:
        awarded = seen.looked.bank.order_concepts(seen.looked.awarded.get(learner_id, ()))
        fell = [
            pk
            for pk in awarded
            if seen.rank(learner_id, pk) <= Band.LEARNING.rank
            and not seen.is_stated(learner_id, pk)
        ]
        if len(fell) >= seen.limits.faded:
            facts = {
                "fell": len(fell),
                "awarded": len(awarded),
                "topics": [seen.topic(pk) for pk in fell[:3]],
            }
            names = tuple(str(pk) for pk in fell)
            yield Alert(Kind.FADING, learner_id, names, facts, weight=len(fell))

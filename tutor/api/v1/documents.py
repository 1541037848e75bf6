"""From rows to the documents of `tutor.api.shapes`."""

from typing import Any

from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
from tutor.content import grading, markup
from tutor.content import selectors as content_selectors
from tutor.practice import feedback as feedbacks
from tutor.practice import selectors as practice_selectors
from tutor.practice import timing
from tutor.practice.models import PracticeSession
from tutor.practice.selectors import Presentation
from tutor.practice.usecases import Outcome
from tutor.scheduling import reasons
from tutor.scheduling.models import Decision


def session_document(
    session: PracticeSession, *, waiting: Presentation | None = None
) -> dict[str, Any]:
    """Return a session with the item that waits; `waiting`, if that is at hand."""
    bank = _bank(session)
    is_over = session.finished_at is not None
    following = None
    if not is_over:
        shown = waiting or practice_selectors.get_presentation(
            learner=session.learner, public_id=session.current.public_id
        )
        following = item_document(shown)
    finish = Decision(reason=session.finish_reason) if is_over else None
    return {
        "session": session.public_id,
        "course": session.course.slug,
        "assignment": session.assignment.public_id if session.assignment else None,
        "planned_items": timing.get_planned_items(session=session),
        "planned_minutes": session.planned_minutes,
        "answered": session.n_answered,
        "correct": session.n_correct,
        "started_at": session.started_at,
        "finished_at": session.finished_at,
        "finish_reason": session.finish_reason,
        "finish_text": reasons.sentence(finish, bank) if finish else "",
        "next": following,
    }


def item_document(shown: Presentation) -> dict[str, Any]:
    """Return an item as it is shown."""
    decision, item = shown.decision, shown.item
    bank = content_selectors.get_bank(
        course_id=decision.course_id, revision=decision.course.revision
    )
    return {
        "presentation": decision.public_id,
        "item": shown.slug,
        "version": shown.version_number,
        "kind": item.kind,
        "concepts": [bank.concept_slugs[bank.index_of_concept[pk]] for pk in shown.concept_ids],
        "stem": item.stem,
        "stem_html": markup.render(item.stem, item.markup),
        "choices": [
            {
                "id": choice.id,
                "text": choice.text,
                "html": markup.render(choice.text, item.markup),
            }
            for choice in item.choices
        ],
        "hints_seen": list(shown.hints),
        "hints_left": shown.hints_left,
        "reason": decision.reason,
        "reason_text": reasons.sentence(decision, bank),
        "propensity": decision.propensity,
    }


def outcome_document(outcome: Outcome, learner: Learner) -> dict[str, Any]:
    """Return what came of a learner's answer; read anew unless all of it is at hand."""
    session, following = outcome.session, outcome.following
    if outcome.answered is not None and session is not None and following is not None:
        is_over = session.finished_at is not None
        waiting = None if is_over else practice_selectors.presentation_decided(following)
        shown = practice_selectors.presentation_answered(outcome.answered, outcome.response)
        document = session_document(session, waiting=waiting)
        return _outcome_document(outcome, shown, document)
    shown = practice_selectors.get_presentation(
        learner=learner, public_id=outcome.response.presentation
    )
    session = practice_selectors.get_open_or_last_session(
        learner=learner, course_id=shown.decision.course_id
    )
    return _outcome_document(outcome, shown, session_document(session) if session else None)


def _outcome_document(
    outcome: Outcome, shown: Presentation, session: dict[str, Any] | None
) -> dict[str, Any]:
    told = feedbacks.explain(shown, outcome.response)
    course = shown.decision.course
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    shifts = outcome.following.shifts if outcome.following else {}
    told_of = [(pk, shifts[str(pk)]) for pk in bank.order_concepts(shifts)]
    return {
        "response": outcome.response.pk,
        "is_repeat": outcome.is_repeat,
        "is_correct": told.is_correct,
        "credit": told.credit,
        "misconception": outcome.response.misconception,
        "feedback": told.remark or (told.misconception[1] if told.misconception else ""),
        "right_answer": grading.answer_summary(shown.item),
        "solution_html": markup.render(told.solution, shown.item.markup),
        "shifts": [
            {
                "concept": bank.concept_slugs[bank.index_of_concept[pk]],
                "name": bank.concept_names[bank.index_of_concept[pk]],
                "before_prob": shift[0],
                "before_band": shift[1],
                "after_prob": shift[2],
                "after_band": shift[3],
            }
            for pk, shift in told_of
        ],
        "session": session,
    }


def learner_document(learner: Learner, classes: list[Classroom]) -> dict[str, Any]:
    """Return a learner with the classes that the caller sees them in."""
    return {
        "pseudonym": learner.pseudonym,
        "username": learner.user.get_username() if learner.user else "",
        "name": learner.label,
        "classes": [
            {"id": room.public_id, "name": room.name, "course": room.course.slug}
            for room in classes
        ],
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """Return a decision with its receipt."""
    bank = content_selectors.get_bank(
        course_id=decision.course_id, revision=decision.course.revision
    )
    version = decision.item_version
    return {
        "decision": decision.public_id,
        "at": decision.at,
        "course": decision.course.slug,
        "assignment": decision.assignment.public_id if decision.assignment else None,
        "item": version.item.slug if version else None,
        "version": version.number if version else None,
        "item_seed": decision.item_seed,
        "policy": decision.policy,
        "tracer": str(decision.tracer) if decision.tracer else "",
        "propensity": decision.propensity,
        "reason": decision.reason,
        "reason_text": reasons.sentence(decision, bank),
        "follows": decision.follows,
        "receipt": decision.receipt,
    }


def _bank(session: PracticeSession) -> content_selectors.CourseBank:
    return content_selectors.get_bank(course_id=session.course_id, revision=session.course.revision)

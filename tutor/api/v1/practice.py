"""Practising over REST: start, next, hint, answer, stop."""

import secrets
import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tutor.accounts import selectors as account_selectors
from tutor.accounts.models import Learner
from tutor.api import shapes
from tutor.api.v1 import documents
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.content import markup
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.practice.models import PracticeSession

PROBLEMS = {
    (status_code, "application/problem+json"): shapes.ProblemOutput
    for status_code in (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 503)
}


def _learner(request: Request, pseudonym: uuid.UUID) -> Learner:
    return account_selectors.access_learner_to_practise(actor=request.user, pseudonym=pseudonym)


def _session(learner: Learner, public_id: uuid.UUID) -> PracticeSession:
    session = practice_selectors.get_session(learner=learner, public_id=public_id)
    if session is None:
        raise NotVisible("There is no such session.", session=str(public_id))
    return session


class SessionStart(APIView):
    """Start or resume practising."""

    @extend_schema(
        operation_id="start_practice",
        request=shapes.SessionInput,
        responses={200: shapes.SessionOutput, **PROBLEMS},
    )
    def post(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Return the learner's open session, or open one; starting twice opens one."""
        learner = _learner(request, pseudonym)
        payload = shapes.SessionInput.read(request.data)
        at = clock.now()
        assignment = course = None
        if "assignment" in payload:
            assignment = class_selectors.access_assignment_of(
                learner=learner, public_id=payload["assignment"], at=at
            )
            course = assignment.classroom.course
        else:
            course = class_selectors.access_course_of(learner=learner, slug=payload["course"])
        session = usecases.start_practice(
            learner=learner,
            course=course,
            assignment=assignment,
            at=at,
            draw_seed=secrets.randbits(53),
            minutes=payload.get("minutes"),
        )
        return Response(shapes.SessionOutput.write(documents.session_document(session)))


class SessionDetail(APIView):
    """One session: the item that waits, or why it is over."""

    @extend_schema(operation_id="next_item", responses={200: shapes.SessionOutput, **PROBLEMS})
    def get(self, request: Request, pseudonym: uuid.UUID, session: uuid.UUID) -> Response:
        """Return the session with its next item; asking again shows the same item."""
        found = _session(_learner(request, pseudonym), session)
        return Response(shapes.SessionOutput.write(documents.session_document(found)))

    @extend_schema(
        operation_id="finish_practice", responses={200: shapes.SessionOutput, **PROBLEMS}
    )
    def delete(self, request: Request, pseudonym: uuid.UUID, session: uuid.UUID) -> Response:
        """End the session; what was answered stays."""
        learner = _learner(request, pseudonym)
        usecases.finish_practice(
            learner=learner, session=_session(learner, session), at=clock.now()
        )
        found = _session(learner, session)
        return Response(shapes.SessionOutput.write(documents.session_document(found)))


class AnswerCreate(APIView):
    """Answer an item that was shown."""

    @extend_schema(
        operation_id="submit_answer",
        request=shapes.SubmissionInput,
        responses={200: shapes.OutcomeOutput, 201: shapes.OutcomeOutput, **PROBLEMS},
    )
    def post(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Grade and record an answer; 201 when it is new, 200 when it was stored before."""
        learner = _learner(request, pseudonym)
        submission = usecases.Submission(**shapes.SubmissionInput.read(request.data))
        outcome = usecases.submit_answer(
            learner=learner,
            submission=submission,
            at=clock.now(),
            draw_seed=secrets.randbits(53),
            source="api",
        )
        document = documents.outcome_document(outcome, learner)
        code = status.HTTP_200_OK if outcome.is_repeat else status.HTTP_201_CREATED
        return Response(shapes.OutcomeOutput.write(document), status=code)


class HintCreate(APIView):
    """Open the next rung of an item's hint ladder."""

    @extend_schema(
        operation_id="take_hint",
        request=shapes.HintInput,
        responses={201: shapes.HintOutput, **PROBLEMS},
    )
    def post(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Record and return the next hint."""
        learner = _learner(request, pseudonym)
        payload = shapes.HintInput.read(request.data)
        presentation = payload["presentation"]
        opened = usecases.take_hint(
            learner=learner,
            presentation=presentation,
            at=clock.now(),
            level=payload.get("level"),
        )
        shown = practice_selectors.get_presentation(learner=learner, public_id=presentation)
        text = shown.item.hints[opened.level - 1]
        document = {
            "level": opened.level,
            "text": text,
            "html": markup.render(text, shown.item.markup),
            "hints_left": shown.hints_left,
        }
        return Response(shapes.HintOutput.write(document), status=status.HTTP_201_CREATED)

"""What is known of a learner."""

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tutor.accounts import selectors as account_selectors
from tutor.api import shapes
from tutor.api.v1.practice import PROBLEMS
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.content import selectors as content_selectors
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import DIGITS


class MasteryList(APIView):
    """Mastery of every concept of a course."""

    @extend_schema(
        operation_id="get_mastery",
        parameters=[OpenApiParameter("course", str, required=True, description="Course slug.")],
        responses={200: shapes.MasteriesOutput, **PROBLEMS},
    )
    def get(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Return bands, probabilities and the evidence behind them, in teaching order."""
        learner = account_selectors.access_learner(actor=request.user, pseudonym=pseudonym)
        query = shapes.CourseQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        course = class_selectors.access_course_seen(
            actor=request.user, learner=learner, slug=query.validated_data.get("course", "")
        )
        at = clock.now()
        masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
        bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        concepts = [
            {
                "concept": bank.concept_slugs[bank.index_of_concept[pk]],
                "name": bank.concept_names[bank.index_of_concept[pk]],
                "band": found.band.value,
                "set_by_teacher": found.is_set_by_teacher,
                "estimated_band": found.estimated_band.value,
                "prob": round(found.prob, DIGITS),
                "lower_prob": round(found.lower_prob, DIGITS),
                "evidence_n": found.evidence_n,
            }
            for pk, found in masteries.items()
        ]
        document = {
            "learner": learner.pseudonym,
            "course": course.slug,
            "tracer": f"psi-filter v{tracer.number}",
            "at": at,
            "concepts": concepts,
        }
        return Response(shapes.MasteriesOutput(document).data)

"""A learner's assignments: their own dates, and grades by the class's rule."""

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tutor.accounts import selectors as account_selectors
from tutor.api import shapes
from tutor.api.v1.practice import PROBLEMS
from tutor.classes import selectors as class_selectors
from tutor.classes import terms
from tutor.common import clock
from tutor.practice import grades


class AssignmentList(APIView):
    """The assignments of a learner in a course that have opened."""

    @extend_schema(
        operation_id="list_assignments",
        parameters=[OpenApiParameter("course", str, required=True, description="Course slug.")],
        responses={200: shapes.AssignmentsOutput, **PROBLEMS},
    )
    def get(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Return until when each may be worked on, what is excused, and the grade."""
        learner = account_selectors.access_learner(actor=request.user, pseudonym=pseudonym)
        query = shapes.CourseQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        course = class_selectors.access_course_seen(
            actor=request.user, learner=learner, slug=query.validated_data.get("course", "")
        )
        at = clock.now()
        # A teacher is told of their own classes alone.
        rooms = class_selectors.list_classes_by_learner(
            actor=request.user, learner_ids=[learner.pk]
        ).get(learner.pk, [])
        seen = {room.pk for room in rooms}
        graded = {
            row.pk: (rule, grade)
            for row, rule, grade in grades.list_own(learner=learner, course=course, at=at)
        }
        found = []
        for row, own in terms.list_of(learner=learner, at=at):
            if row.classroom_id not in seen or row.classroom.course_id != course.pk:
                continue
            rule, grade = graded.get(row.pk, (None, None))
            found.append(
                {
                    "assignment": row.public_id,
                    "title": row.title,
                    "opens_at": own.opens_at,
                    "due_at": own.due_at,
                    "is_excused": own.is_excused,
                    "grade": None if grade is None else grade.percent,
                    "grade_rule": "" if rule is None else grades.say(rule),
                }
            )
        document = {"learner": learner.pseudonym, "course": course.slug, "assignments": found}
        return Response(shapes.AssignmentsOutput(document).data)

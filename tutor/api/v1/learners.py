"""Who the learners are, and what was decided for them."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from tutor.accounts import selectors as account_selectors
from tutor.api import pagination, shapes
from tutor.api.v1 import documents
from tutor.api.v1.practice import PROBLEMS
from tutor.classes import selectors as class_selectors
from tutor.scheduling import selectors as scheduling_selectors


class LearnerList(ListAPIView[Any]):
    """The learners that the caller may see."""

    pagination_class = pagination.ByNumber
    serializer_class = shapes.LearnerOutput

    @extend_schema(
        operation_id="list_learners",
        parameters=[
            OpenApiParameter("username", str, description="Only the learner who signs in so.")
        ],
        responses={200: shapes.LearnerOutput(many=True), **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Return pseudonyms with user names and classes: an LMS finds its learners here."""
        query = shapes.LearnerQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = account_selectors.list_visible_learners(actor=request.user)
        if query.validated_data.get("username"):
            rows = rows.filter(user__username=query.validated_data["username"])
        page = self.paginate_queryset(rows)
        classes = class_selectors.list_classes_by_learner(
            actor=request.user, learner_ids=[learner.pk for learner in page]
        )
        found = [documents.learner_document(row, classes.get(row.pk, [])) for row in page]
        return self.get_paginated_response(shapes.LearnerOutput(found, many=True).data)


class DecisionList(ListAPIView[Any]):
    """The choices made for a learner, newest first, each with its receipt."""

    pagination_class = pagination.NewestFirst
    serializer_class = shapes.DecisionOutput

    @extend_schema(
        operation_id="list_decisions",
        parameters=[OpenApiParameter("course", str, description="Only those of this course.")],
        responses={200: shapes.DecisionOutput(many=True), **PROBLEMS},
    )
    def get(self, request: Request, pseudonym: uuid.UUID) -> Response:
        """Return what was chosen, with which chance, and everything it was weighed against."""
        learner = account_selectors.access_learner(actor=request.user, pseudonym=pseudonym)
        query = shapes.CourseQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        courses = class_selectors.list_courses_seen(actor=request.user, learner=learner)
        if "course" in query.validated_data:
            courses = courses.filter(slug=query.validated_data["course"])
        rows = scheduling_selectors.list_decisions_in(learner=learner, courses=courses)
        page = self.paginate_queryset(rows)
        found = [documents.decision_document(decision) for decision in page]
        return self.get_paginated_response(shapes.DecisionOutput(found, many=True).data)

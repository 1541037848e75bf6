"""A bare DRF view: it inserts one row and reads one, and knows nobody."""

import uuid

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response as Answer
from rest_framework.views import APIView

from tutor.accounts.models import Learner
from tutor.responses.models import HintRequest


class Bare(APIView):
    """One insert, one read."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Answer:
        learner = Learner.objects.get(pk=request.data["learner"])
        row = HintRequest.objects.create(
            learner=learner,
            presentation=uuid.uuid4(),
            level=1,
            at=learner.created_at,
        )
        return Answer({"row": row.pk}, status=201)


urlpatterns = [path("bare", Bare.as_view())]

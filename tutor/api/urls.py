"""Addresses of the REST API."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from tutor.api import problems
from tutor.api.v1 import mastery, practice

app_name = "api"

LEARNER = "v1/learners/<uuid:pseudonym>/"

urlpatterns = [
    path("v1/openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path(f"{LEARNER}sessions", practice.SessionStart.as_view(), name="sessions"),
    path(f"{LEARNER}sessions/<uuid:session>", practice.SessionDetail.as_view(), name="session"),
    path(f"{LEARNER}answers", practice.AnswerCreate.as_view(), name="answers"),
    path(f"{LEARNER}hints", practice.HintCreate.as_view(), name="hints"),
    path(f"{LEARNER}mastery", mastery.MasteryList.as_view(), name="mastery"),
    re_path(r"^.*$", problems.not_found),
]

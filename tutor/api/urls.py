"""Addresses of the REST API."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from tutor.api import problems
from tutor.api.v1 import grades, health, learners, mastery, metrics, pictures, practice

app_name = "api"

LEARNER = "v1/learners/<uuid:pseudonym>/"

urlpatterns = [
    path("v1/openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("v1/health", health.Health.as_view(), name="health"),
    path("v1/metrics", metrics.show, name="metrics"),
    path("v1/learners", learners.LearnerList.as_view(), name="learners"),
    path(f"{LEARNER}sessions", practice.SessionStart.as_view(), name="sessions"),
    path(f"{LEARNER}sessions/<uuid:session>", practice.SessionDetail.as_view(), name="session"),
    path(f"{LEARNER}answers", practice.AnswerCreate.as_view(), name="answers"),
    path(f"{LEARNER}hints", practice.HintCreate.as_view(), name="hints"),
    path(f"{LEARNER}mastery", mastery.MasteryList.as_view(), name="mastery"),
    path(f"{LEARNER}assignments", grades.AssignmentList.as_view(), name="assignments"),
    path(f"{LEARNER}decisions", learners.DecisionList.as_view(), name="decisions"),
    path("v1/pictures/<slug:digest>", pictures.PictureDetail.as_view(), name="picture"),
    re_path(r"^.*$", problems.not_found),
]

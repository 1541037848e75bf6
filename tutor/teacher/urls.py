"""Addresses of the teacher's pages."""

from django.urls import path

from tutor.teacher import pages

app_name = "teacher"

urlpatterns = [
    path("", pages.classes, name="classes"),
    path("<uuid:class_id>/", pages.classroom, name="classroom"),
    path("<uuid:class_id>/learners/<uuid:pseudonym>/", pages.learner, name="learner"),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/receipts/<uuid:decision>/",
        pages.receipt,
        name="receipt",
    ),
]

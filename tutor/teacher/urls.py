"""Addresses of the teacher's pages."""

from django.urls import path

from tutor.teacher import pages, rule_pages, steering_pages, trust_pages

app_name = "teacher"

urlpatterns = [
    path("", pages.classes, name="classes"),
    path("<uuid:class_id>/", pages.classroom, name="classroom"),
    path("<uuid:class_id>/choosing/", steering_pages.steering, name="steering"),
    path("<uuid:class_id>/trust/", trust_pages.trust_card, name="trust"),
    path("<uuid:class_id>/choosing/set/", steering_pages.set_steering, name="steering-set"),
    path("<uuid:class_id>/rules/", rule_pages.rules, name="rules"),
    path("<uuid:class_id>/rules/set/", rule_pages.set_rule, name="rules-set"),
    path("<uuid:class_id>/rules/<int:rule>/undo/", rule_pages.take_back, name="rules-undo"),
    path("<uuid:class_id>/learners/<uuid:pseudonym>/", pages.learner, name="learner"),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/release/",
        steering_pages.release,
        name="release",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/receipts/<uuid:decision>/",
        pages.receipt,
        name="receipt",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/receipts/<uuid:decision>/record/",
        pages.receipt_record,
        name="receipt-record",
    ),
]

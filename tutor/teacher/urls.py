"""Addresses of the teacher's pages."""

from django.urls import path

from tutor.teacher import (
    assignment_pages,
    class_pages,
    export_pages,
    grade_pages,
    learner_pages,
    needs_pages,
    override_pages,
    pages,
    rule_pages,
    steering_pages,
    trust_pages,
)

app_name = "teacher"

urlpatterns = [
    path("", needs_pages.landing, name="classes"),
    path("<uuid:class_id>/", class_pages.classroom, name="classroom"),
    path("<uuid:class_id>/needs/", needs_pages.show_needs, name="needs"),
    path("<uuid:class_id>/needs/act/", needs_pages.act, name="needs-act"),
    path("<uuid:class_id>/needs/done/", needs_pages.show_done, name="needs-done"),
    path("<uuid:class_id>/needs/done/<int:action>/undo/", needs_pages.take_back, name="needs-undo"),
    path("<uuid:class_id>/needs/when/", needs_pages.show_thresholds, name="needs-when"),
    path("<uuid:class_id>/needs/when/set/", needs_pages.set_thresholds, name="needs-when-set"),
    path("<uuid:class_id>/activity/", class_pages.show_activity, name="activity"),
    path("<uuid:class_id>/topics/<slug:concept>/", class_pages.concept, name="concept"),
    path("<uuid:class_id>/questions/<slug:item>/", class_pages.item, name="item"),
    path("<uuid:class_id>/export/<slug:table>.csv", export_pages.export_csv, name="export-csv"),
    path("<uuid:class_id>/export/class.xlsx", export_pages.export_xlsx, name="export-xlsx"),
    path("<uuid:class_id>/choosing/", steering_pages.steering, name="steering"),
    path("<uuid:class_id>/trust/", trust_pages.trust_card, name="trust"),
    path("<uuid:class_id>/choosing/set/", steering_pages.set_steering, name="steering-set"),
    path("<uuid:class_id>/rules/", rule_pages.rules, name="rules"),
    path("<uuid:class_id>/rules/set/", rule_pages.set_rule, name="rules-set"),
    path("<uuid:class_id>/rules/<int:rule>/undo/", rule_pages.take_back, name="rules-undo"),
    path("<uuid:class_id>/assignments/", assignment_pages.list_assignments, name="assignments"),
    path(
        "<uuid:class_id>/assignments/save/",
        assignment_pages.save_assignment,
        name="assignment-save",
    ),
    path("<uuid:class_id>/grades/", grade_pages.show_grades, name="grades"),
    path("<uuid:class_id>/grades/set/", grade_pages.set_rule, name="grades-set"),
    path("<uuid:class_id>/decisions/set/", override_pages.set_override, name="override-set"),
    path(
        "<uuid:class_id>/decisions/<int:override>/undo/",
        override_pages.take_back,
        name="override-undo",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/extra-time/",
        override_pages.set_extra_time,
        name="extra-time",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/mastery/",
        override_pages.set_mastery,
        name="mastery-set",
    ),
    path("<uuid:class_id>/learners/<uuid:pseudonym>/", learner_pages.learner, name="learner"),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/topics/<slug:concept>/",
        learner_pages.learner_concept,
        name="learner-concept",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/note/",
        learner_pages.write_note,
        name="note",
    ),
    path(
        "<uuid:class_id>/learners/<uuid:pseudonym>/topics.csv",
        export_pages.export_learner,
        name="export-learner",
    ),
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

"""The student's start page: what to do now, and the course as a map."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tutor.accounts import selectors as account_selectors
from tutor.classes import selectors as class_selectors
from tutor.common import clock
from tutor.practice import selectors as practice_selectors
from tutor.student import course_map


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show what to practise and where the learner stands."""
    learner, at = account_selectors.get_own_learner(actor=request.user), clock.now()
    courses = [
        {
            "course": course,
            "open_session": practice_selectors.get_open_session(
                learner=learner, course_id=course.pk
            ),
            "map": course_map.draw(learner=learner, course=course, at=at),
        }
        for course in class_selectors.list_courses_of(learner=learner)
    ]
    context = {
        "learner": learner,
        "assignments": class_selectors.list_assignments_of(learner=learner, at=at),
        "courses": courses,
        "at": at,
    }
    return render(request, "student/home.html", context)

"""The student's pages around practising: today, the map, progress, reviews, how it decides."""

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts import selectors as account_selectors
from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.content.models import Course
from tutor.practice import charts, progress_lines
from tutor.student import course_map, progress, receipts, review_calendar, today, topics
from tutor.student.posting import form_only

GOALS = range(1, 8)


def _own(request: HttpRequest) -> Learner:
    return account_selectors.get_own_learner(actor=request.user)


def _courses(request: HttpRequest, learner: Learner) -> tuple[list[Course], Course | None]:
    """Return the learner's courses and the one that the address asks for, else the first."""
    courses = list(class_selectors.list_courses_of(learner=learner))
    slug = request.GET.get("course")
    if slug:
        return courses, class_selectors.access_course_of(learner=learner, slug=slug)
    return courses, courses[0] if courses else None


@login_required
@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show what to do now."""
    learner = _own(request)
    at = clock.now()
    plan = today.plan(learner=learner, at=at)
    context = {
        "learner": learner,
        "today": plan,
        "topics": topics.list_topics(learner=learner, courses=plan.courses, at=at),
    }
    return render(request, "student/home.html", context)


@login_required
@never_cache
@require_GET
def show_map(request: HttpRequest) -> HttpResponse:
    """Show where the learner stands in a course."""
    learner, at = _own(request), clock.now()
    courses, course = _courses(request, learner)
    chosen = (course,) if course else ()
    context = {
        "courses": courses,
        "course": course,
        "map": course and course_map.draw(learner=learner, course=course, at=at),
        "topics": topics.list_topics(learner=learner, courses=chosen, at=at),
    }
    return render(request, "student/map_page.html", context)


@login_required
@never_cache
@require_GET
def show_progress(request: HttpRequest) -> HttpResponse:
    """Show how it went over time."""
    learner, at = _own(request), clock.now()
    courses, course = _courses(request, learner)
    weeks = progress.list_weeks(learner=learner, at=at)
    context = {
        "courses": courses,
        "course": course,
        "weeks": weeks,
        "bars": charts.draw_bars([(week.answers, week.right) for week in weeks]),
        "has_answers": any(week.answers for week in weeks),
        "week": progress.get_this_week(learner=learner, at=at),
        "goals": GOALS,
        "lines": course and progress_lines.list_lines(learner=learner, course=course, at=at),
    }
    return render(request, "student/progress.html", context)


@login_required
@never_cache
@require_GET
def show_concept(request: HttpRequest, course: str, concept: str) -> HttpResponse:
    """Show how one concept went, as a picture and as its table."""
    learner, at = _own(request), clock.now()
    found = class_selectors.access_course_of(learner=learner, slug=course)
    lines = progress_lines.list_lines(learner=learner, course=found, at=at)
    line = next((line for line in lines if line.slug == concept), None)
    if line is None:
        if not found.concepts.filter(slug=concept).exists():
            raise NotVisible(
                gettext("There is no such topic in this course."), concept=concept[:80]
            )
        return redirect("student:progress")
    picture = charts.draw_trajectory(line.points, now=line.mastery, today=timezone.localdate(at))
    context = {
        "course": found,
        "line": line,
        "picture": picture,
        "points": line.points[::-1],
        "is_open": found.concepts.filter(
            slug=line.slug, pk__in=topics.find_open(learner=learner, course=found, at=at)
        ).exists(),
    }
    return render(request, "student/concept.html", context)


@login_required
@form_only(else_to="student:progress")
def set_goal(request: HttpRequest) -> HttpResponse:
    """Keep on how many days a week the learner means to practise."""
    days = request.POST.get("days", "")
    class_services.set_weekly_goal(
        learner=_own(request),
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 3 else 0,
        at=clock.now(),
    )
    return redirect("student:progress")


@login_required
@never_cache
@require_GET
def show_reviews(request: HttpRequest) -> HttpResponse:
    """Show what falls due for review in the next two weeks."""
    learner, at = _own(request), clock.now()
    courses, course = _courses(request, learner)
    context = {
        "courses": courses,
        "course": course,
        "calendar": course and review_calendar.make(learner=learner, course=course, at=at),
    }
    return render(request, "student/reviews.html", context)


@login_required
@never_cache
@require_GET
def show_how(request: HttpRequest) -> HttpResponse:
    """Explain how questions are chosen, with the learner's own latest ones."""
    learner = _own(request)
    courses, course = _courses(request, learner)
    context = {
        "courses": courses,
        "course": course,
        "latest": course and receipts.list_latest(learner=learner, course=course),
        "award_percent": _award_percent(learner, course, clock.now()) if course else None,
    }
    return render(request, "student/how.html", context)


def _award_percent(learner: Learner, course: Course, at: dt.datetime) -> int:
    """Return the least that a class of the learner's awards by."""
    rules = class_selectors.get_award_rules(course_id=course.pk, revision=course.revision)
    classes = class_selectors.list_class_ids_of(learner_id=learner.pk, course_id=course.pk)
    asked = [class_selectors.find_percent_at(rules.get(pk, ()), at) for pk in classes]
    return min(asked, default=class_selectors.DEFAULT_AWARD_PERCENT)

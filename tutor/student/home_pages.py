"""The student's start page: what to do now, and the course as a map."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tutor.accounts import selectors as account_selectors
from tutor.common import clock
from tutor.student import today


@login_required
@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show what to practise and where the learner stands."""
    learner = account_selectors.get_own_learner(actor=request.user)
    context = {"learner": learner, "today": today.plan(learner=learner, at=clock.now())}
    return render(request, "student/home.html", context)

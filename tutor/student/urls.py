"""Addresses of the student's pages."""

from django.urls import path

from tutor.student import help_pages, home_pages, practice_pages, saying_pages, viewing

app_name = "student"

urlpatterns = [
    path("", home_pages.home, name="home"),
    path("map/", home_pages.show_map, name="map"),
    path("progress/", home_pages.show_progress, name="progress"),
    path("progress/<slug:course>/<slug:concept>/", home_pages.show_concept, name="concept"),
    path("as/<uuid:class_id>/<uuid:pseudonym>/", viewing.see_home, name="seen-home"),
    path("as/<uuid:class_id>/<uuid:pseudonym>/map/", viewing.see_map, name="seen-map"),
    path(
        "as/<uuid:class_id>/<uuid:pseudonym>/progress/",
        viewing.see_progress,
        name="seen-progress",
    ),
    path("goal/", home_pages.set_goal, name="goal"),
    path("reviews/", home_pages.show_reviews, name="reviews"),
    path("how/", home_pages.show_how, name="how"),
    path("start/", practice_pages.start, name="start"),
    path("practise/<uuid:session>/", practice_pages.practise, name="practise"),
    path("practise/<uuid:session>/finish/", practice_pages.finish, name="finish"),
    path("practise/<uuid:session>/pause/", practice_pages.pause, name="pause"),
    path("practise/<uuid:session>/help/", saying_pages.stuck, name="stuck"),
    path("practise/<uuid:session>/summary/", practice_pages.summary, name="summary"),
    path("items/<uuid:presentation>/answer/", practice_pages.answer, name="answer"),
    path("items/<uuid:presentation>/answered/", practice_pages.answered, name="answered"),
    path("items/<uuid:presentation>/retry/", practice_pages.retry, name="retry"),
    path("items/<uuid:presentation>/hint/", help_pages.hint, name="hint"),
    path("items/<uuid:presentation>/step/", help_pages.step, name="step"),
    path("items/<uuid:presentation>/preview/", help_pages.preview, name="preview"),
    path("items/<uuid:presentation>/unlearnt/", saying_pages.unlearnt, name="unlearnt"),
    path("items/<uuid:presentation>/example/", saying_pages.example, name="example"),
    path("items/<uuid:presentation>/skip/", saying_pages.skip, name="skip"),
    path("items/<uuid:presentation>/report/", saying_pages.report, name="report"),
]

"""Addresses of the pages on which logs are brought."""

from django.urls import path

from tutor.intake import mapping_pages, pages

app_name = "intake"

urlpatterns = [
    path("", pages.uploads, name="uploads"),
    path("new/", pages.bring, name="bring"),
    path("<uuid:upload>/", pages.upload_page, name="upload"),
    path("<uuid:upload>/progress/", pages.progress, name="progress"),
    path("<uuid:upload>/act/", pages.act, name="act"),
    path("<uuid:upload>/rejects/", pages.rejects_file, name="rejects"),
    path("<uuid:upload>/class/", pages.make_class, name="class"),
    path("<uuid:upload>/mapping/", mapping_pages.name_columns, name="mapping"),
    path("<uuid:upload>/mapping.json", mapping_pages.mapping_file, name="mapping-file"),
    path("<uuid:upload>/read-again/", mapping_pages.read_again, name="read-again"),
]

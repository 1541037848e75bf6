"""Every address of the tutor."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("tutor.api.urls")),
    path("admin/", admin.site.urls),
]

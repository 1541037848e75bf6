"""Puts our admin site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class TutorAdminConfig(AdminConfig):
    """Django's admin with our site."""

    default_site = "tutor.config.admin_site.TutorAdminSite"

"""Settings, URLs, Celery and WSGI: where the parts are wired together."""

# Whoever loads the settings can then send tasks: the server, the worker, every command.
from tutor.config.celery import app as celery_app

__all__ = ["celery_app"]

"""Settings, URLs, Celery and WSGI: where the parts are wired together."""

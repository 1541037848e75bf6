"""The WSGI application that gunicorn serves."""

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")  # noqa: TID251

application = get_wsgi_application()


def _warm_up() -> None:
    from tutor.content import grading  # noqa: PLC0415 - settings are ready only now

    grading.warm_up()


# The first expression to be graded would otherwise wait a second and more for SymPy.
threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()

"""Django settings: one file for every place, what differs comes from TUTOR_ variables.

The embedded default (SQLite, a broker made of files, three workers) and production (PostgreSQL,
Redis or RabbitMQ, any number of workers) run the same code. See docs/administrators.md for each
variable.
"""

from pathlib import Path

from celery.schedules import crontab
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from tutor.config import environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(environment.text("VAR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = environment.flag("DEBUG", default=False)
PRODUCTION = environment.flag("PRODUCTION", default=False)


def _secret_key() -> str:
    given = environment.secret("SECRET_KEY")
    if given:
        return given
    if PRODUCTION:
        message = (
            "Set TUTOR_SECRET_KEY (or TUTOR_SECRET_KEY_FILE) to a long random text before running "
            "in production."
        )
        raise ImproperlyConfigured(message)
    # The embedded default makes its own key once, so that sign-ins survive a restart.
    path = VAR_DIR / "secret_key"
    if not path.exists():
        from django.core.management.utils import get_random_secret_key  # noqa: PLC0415

        try:
            with path.open("x") as file:
                file.write(get_random_secret_key())
            path.chmod(0o600)
        except FileExistsError:
            pass
    return path.read_text().strip()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "tutor.config.admin_config.TutorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "tutor.accounts",
    "tutor.content",
    "tutor.classes",
    "tutor.responses",
    "tutor.registry",
    "tutor.tracing",
    "tutor.scheduling",
    "tutor.calibration",
    "tutor.outlook",
    "tutor.practice",
    "tutor.alerts",
    "tutor.demo",
    "tutor.student",
    "tutor.teacher",
    "tutor.api",
    "tutor.intake",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tutor.config.content_security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tutor.config.languages.PersonLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tutor.config.pages.TutorErrorPages",
]

ROOT_URLCONF = "tutor.config.urls"
WSGI_APPLICATION = "tutor.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "tutor" / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": environment.database(
        environment.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'tutor.sqlite3'}"),
        password=environment.secret("DATABASE_PASSWORD"),
    )
}

AUTHENTICATION_BACKENDS = ["tutor.accounts.authentication.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"

LANGUAGE_CODE = "en"
# A catalogue in this folder makes its language one that browsers may ask for.
LOCALE_PATHS = [BASE_DIR / "tutor" / "config" / "locale"]
LANGUAGES = [
    (code, LANG_INFO[code]["name_local"] if code in LANG_INFO else code)
    for code in (
        "en",
        *(
            path.parent.parent.name.lower().replace("_", "-")
            for path in sorted(LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.mo"))
        ),
    )
]
TIME_ZONE = environment.text("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # the server warns about a folder that is not there
STATICFILES_DIRS = [BASE_DIR / "tutor" / "config" / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION

SESSION_ENGINE = "tutor.config.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and environment.flag("SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Logs that administrators bring in the browser. They are personal data: nothing serves this folder.
UPLOAD_DIR = VAR_DIR / "uploads"
UPLOAD_MAX_BYTES = environment.whole_number("UPLOAD_MAX_MB", default=500) * 1_000_000
UPLOADS_PER_HOUR = environment.whole_number("UPLOADS_PER_HOUR", default=20)
UPLOAD_KEEP_DAYS = environment.whole_number("UPLOAD_KEEP_DAYS", default=7)

# Who answers items in an artificial crowd, an address each; manage.py ask_crowd sends them items.
CROWD_ENDPOINTS = environment.words("CROWD_ENDPOINTS")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tutor.api.authentication.CompiledTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tutor.api.parsers.BoundedJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    # Counted by each web process. One token may speak for a whole school.
    "DEFAULT_THROTTLE_RATES": {
        "user": environment.text("API_RATE", "6000/min"),
        "anon": "300/min",
    },
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tutor.api.problems.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Adaptive tutor",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"ReachableEnum": ["ok", "down"]},
    "SCHEMA_PATH_PREFIX": r"/api/v1",
}

# A worker that has had learners in hand for so long is taken for dead: longer than any pass takes.
DEEP_CLAIM_S = environment.whole_number("DEEP_CLAIM_S", default=60)

BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_URL = environment.secret("BROKER_URL", "filesystem://")
HAS_NETWORK_BROKER = not CELERY_BROKER_URL.startswith("filesystem:")
CELERY_TASK_ACKS_LATE = True
# A task that took its worker down must not take down the next one at once. Its message was a nudge;
# the sweep finds what is left in the database, and counts how often it was tried.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
# What comes out stands in the database.
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Of Celery's own limits none holds in a solo worker, neither that of time nor that of memory; and
# its soft shutdown would put the running task to sleep. tutor/config/watchdog.py ends a worker that
# is longer at a task than its queue allows, in seconds.
TASK_LIMITS_S = {
    "celery": 12 * 3600,
    # A turn and a piece of refolds (tutor/tracing/sweep.py) and of passes (working.py) each.
    "tracing": 600,
    "training": 24 * 3600,
    "calibration": 6 * 3600,
    "lms": 900,
}
# A message is sent when it is in its queue: it counts among those that wait, and is not lost on
# the way there.
RABBITMQ_OPTIONS = {"confirm_publish": True, "connect_timeout": 10}
if CELERY_BROKER_URL.startswith(("amqp:", "amqps:")):
    CELERY_BROKER_TRANSPORT_OPTIONS = RABBITMQ_OPTIONS
    # A solo worker answers no heartbeat while it is at a task: RabbitMQ would take a training for
    # dead. A dead connection is found by the watchdog's echoes.
    CELERY_BROKER_HEARTBEAT = 0
if CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Redis gives a message to a second worker after so long without an acknowledgement: longer
        # than any task may take. What a killed worker had is found by the sweeps long before.
        "visibility_timeout": max(TASK_LIMITS_S.values()) + 3600,
        # A connection that went dead without a word is noticed, not waited for.
        "socket_connect_timeout": 10,
        "socket_timeout": 60,
        "socket_keepalive": True,
    }
# Where a worker writes every few seconds how it is; empty: nowhere.
HEALTH_FILE = environment.text("HEALTH_FILE")
# Apart, so that what takes minutes does not hold up what a class waits for: a worker takes all of
# them, or those that it is told to (`--queues`).
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in ("celery", "tracing", "training", "calibration", "lms")
]
CELERY_TASK_ROUTES = {
    # It folds everybody first, the network too: not where a class waits, nor behind a training.
    "tracing.switch": {"queue": "calibration"},
    # Goes through whole logs.
    "tracing.give_awards": {"queue": "calibration"},
    "tracing.*": {"queue": "tracing"},
    "registry.*": {"queue": "training"},
    "calibration.*": {"queue": "calibration"},
    # Goes through whole logs, and fits.
    "outlook.*": {"queue": "calibration"},
    "lms.*": {"queue": "lms"},
}
# What a training keeps after every epoch. Workers that share it go on where another was killed.
TRAINING_DIR = Path(environment.text("TRAINING_DIR", str(VAR_DIR / "training")))
# What has to be done stands in the database; the beat looks there, also after a lost message.
CELERY_BEAT_SCHEDULE = {
    # Whose nudge was lost, whose worker was killed, who was left aside an hour ago.
    "catch-up": {
        "task": "tracing.catch_up",
        "schedule": 5.0,
        # A worker that was away need not do the same sweep for every beat that it missed. Longer
        # than it goes on at one, so that there is always one to be taken.
        "options": {"expires": 30.0},
    },
    "judge-networks": {
        "task": "scheduling.judge_networks",
        "schedule": crontab(minute=20),
        "options": {"expires": 1800.0},
    },
    "prune-predictions": {
        "task": "scheduling.prune_predictions",
        "schedule": crontab(hour=4, minute=0),
        "options": {"expires": 3600.0},
    },
    "prune-deep-states": {
        "task": "tracing.prune_states",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600.0},
    },
    "give-awards": {
        "task": "tracing.give_awards",
        "schedule": crontab(hour=4, minute=30),
        "options": {"expires": 3600.0},
    },
    # At night, when nobody waits for a worker; what was asked for meanwhile is found by the sweep.
    "calibrate-nightly": {
        "task": "calibration.nightly",
        "schedule": crontab(hour=2, minute=30),
        "options": {"expires": 3600.0},
    },
    "work-on-calibrations": {
        "task": "calibration.work",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "train-networks": {
        "task": "registry.train",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "switch-tracers": {
        "task": "tracing.switch",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    # After the calibration, whose new tracer the decisions of the next day are made under.
    "learn-policies": {
        "task": "scheduling.learn_policies",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600.0},
    },
    "compare-groups": {
        "task": "scheduling.compare_groups",
        "schedule": crontab(hour=4, minute=20),
        "options": {"expires": 3600.0},
    },
    # After the calibration, by whose tracer it is told what learners know.
    "forecast-goals": {
        "task": "outlook.forecast_goals",
        "schedule": crontab(hour=4, minute=40),
        "options": {"expires": 3600.0},
    },
    # Holds from the next day on (UTC), for a week at most.
    "count-exposure": {
        "task": "scheduling.count_exposure",
        "schedule": crontab(hour=22, minute=40),
        "options": {"expires": 3600.0},
    },
    "sweep-uploads": {
        "task": "intake.sweep",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
}
CELERY_BEAT_SCHEDULER = "tutor.config.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
# Written after so many messages, some half a minute: its age tells whether the beat still sends.
CELERY_BEAT_SYNC_EVERY = 10

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "WARNING")},
}

"""Reads the environment: the one place that does. Every variable starts with TUTOR_."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Return the variable `TUTOR_<name>`, or `default` where it is not set."""
    return os.environ.get(f"TUTOR_{name}", default)  # noqa: TID251


def secret(name: str, default: str = "") -> str:
    """Return `TUTOR_<name>`, or what the file `TUTOR_<name>_FILE` contains, or `default`.

    A file keeps a secret out of the list of processes and of what tools print of a container.

    Raises:
        ImproperlyConfigured: both are set, or the file cannot be read or is empty.
    """
    path = text(f"{name}_FILE")
    if not path:
        return text(name, default)
    if text(name):
        message = f"TUTOR_{name} and TUTOR_{name}_FILE are both set: leave one out."
        raise ImproperlyConfigured(message)
    try:
        found = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"TUTOR_{name}_FILE={path}: {error}. The tutor's account must be able to read it."
        raise ImproperlyConfigured(message) from error
    if not found:
        message = f"TUTOR_{name}_FILE={path} is empty: put the secret into it."
        raise ImproperlyConfigured(message)
    return found


def flag(name: str, *, default: bool) -> bool:
    """Return a switch: 1/true/yes/on or 0/false/no/off.

    Raises:
        ImproperlyConfigured: the value is neither.
    """
    value = text(name).strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    message = f"TUTOR_{name}={value!r} is neither on (1) nor off (0)."
    raise ImproperlyConfigured(message)


def whole_number(name: str, *, default: int) -> int:
    """Return a whole number, 1 or more.

    Raises:
        ImproperlyConfigured: the value is something else.
    """
    value = text(name).strip()
    if not value:
        return default
    if value.isascii() and value.isdigit() and int(value) >= 1:
        return int(value)
    message = f"TUTOR_{name}={value!r} is no whole number of 1 or more."
    raise ImproperlyConfigured(message)


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(url: str, *, password: str = "") -> dict[str, Any]:
    """Return Django's settings for `sqlite:///PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`.

    Args:
        url: the address.
        password: for an address without one.

    Raises:
        ImproperlyConfigured: the scheme is another one.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path[1:])))
    if parts.scheme in {"postgres", "postgresql"}:
        return _postgresql(parts, password)
    # Not the whole of it: it may have a password in it.
    message = f"TUTOR_DATABASE_URL must start with sqlite:/// or postgres://, not {parts.scheme!r}."
    raise ImproperlyConfigured(message)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            # A writer waits for its turn at BEGIN instead of failing in the middle.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # WAL: readers never wait for the writer. FULL: an answer that was
            # acknowledged survives a power cut (NORMAL would lose the last ones).
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-20000;"
                "PRAGMA temp_store=MEMORY;"
            ),
        },
        "CONN_MAX_AGE": None,
    }


def _postgresql(parts: Any, password: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or password,
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": _postgresql_options(parts.query),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _postgresql_options(query: str) -> dict[str, Any]:
    """Return libpq's options; `prepare_threshold=none` is for poolers that share connections."""
    options: dict[str, Any] = dict(parse_qsl(query))
    threshold = options.pop("prepare_threshold", "5")
    if threshold != "none" and not threshold.isdecimal():
        message = (
            f"prepare_threshold={threshold} in TUTOR_DATABASE_URL: give the runs after which a "
            "statement's plan is kept, or none."
        )
        raise ImproperlyConfigured(message)
    return options | {"prepare_threshold": None if threshold == "none" else int(threshold)}

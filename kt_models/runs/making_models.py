"""Models by name, with settings laid over their usual configuration."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from kt_models.errors import ImpossibleSetting, UnknownName
from kt_models.models import MODELS
from kt_models.models.base import AbstractModel
from kt_models.saved_models import config_from
from kt_models.settings import laid_over

Settings = Mapping[str, Any]
"""Values by name; a nested configuration's under the name of its field."""


def make_model(name: str, settings: Settings | None = None) -> AbstractModel:
    """Return an unfitted model.

    Args:
        name: one of `MODELS`.
        settings: laid over the model's usual configuration.

    Raises:
        UnknownName: there is no such model.
        ImpossibleSetting: the model has no such setting, or it cannot have that value.
    """
    if name not in MODELS:
        raise UnknownName(f"No model is called {name}; there are {', '.join(MODELS)}.")
    model = MODELS[name]()
    if settings:
        values = laid_over(dataclasses.asdict(model.config), settings)
        model.config = config_from(type(model.config), values)
    return model


def config_of(model: AbstractModel) -> dict[str, Any]:
    """Return a model's configuration as JSON values."""
    return dataclasses.asdict(model.config)


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings from texts like `training.epochs=30`.

    A value is read as JSON (`30`, `0.5`, `true`, `[8, 4]`), else it is a word.

    Raises:
        ImpossibleSetting: a text has no equals sign, or contradicts an earlier one.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, written = text.partition("=")
        path = name.strip().split(".")
        if not equals or not all(path):
            raise ImpossibleSetting(f"{text!r}: write name=value, as in training.epochs=30.")
        place = settings
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ImpossibleSetting(f"{text!r}: {part} was given a value before.")
        place[path[-1]] = _parsed(written.strip())
    return settings


def written_settings(settings: Settings, prefix: str = "") -> list[str]:
    """Return the texts that `parse_settings` reads back."""
    texts: list[str] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            texts += written_settings(value, f"{prefix}{name}.")
        else:
            texts.append(f"{prefix}{name}={json.dumps(value)}")
    return texts


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text

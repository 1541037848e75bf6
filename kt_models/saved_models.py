"""A fitted model as a folder: what it is in JSON, its numbers in safetensors; nothing that runs.

`model.json` holds kind, format, configuration, vocabulary and provenance; `weights.safetensors`
holds the arrays. The weights are written first and the JSON names their hash, so a folder whose
writing was cut off is refused instead of being read half new.
"""

import dataclasses
import hashlib
import json
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting, KTModelError, UnreadableModel
from kt_models.models.base import AbstractModel
from kt_models.training.recalibration import Recalibration

FORMAT = 1
DESCRIPTION, WEIGHTS = "model.json", "weights.safetensors"
RECALIBRATION = "recalibration."


def save_model(model: AbstractModel, folder: Path, *, provenance: Mapping[str, Any]) -> None:
    """Write a fitted model into a folder, which is made.

    Args:
        model: fitted.
        folder: where to.
        provenance: JSON values: hash of the log, learners, answers, seed, metrics, code version.

    Raises:
        NotFitted: nothing was learnt yet.
    """
    description, weights = model_to_bytes(model, provenance=provenance)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / WEIGHTS, weights)
    _replace(folder / DESCRIPTION, (json.dumps(description) + "\n").encode())


def model_to_bytes(
    model: AbstractModel, *, provenance: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Return a fitted model as JSON values and the bytes of its numbers, for a database.

    Args:
        model: fitted.
        provenance: as for `save_model`.

    Raises:
        NotFitted: nothing was learnt yet.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in model.arrays().items()}
    for name, array in model.recalibration.arrays().items():
        arrays[RECALIBRATION + name] = np.ascontiguousarray(array)
    weights = save(arrays)
    description = {
        "kind": model.name,
        "format": FORMAT,
        "config": dataclasses.asdict(model.config),
        "vocabulary": model.vocabulary.to_dict(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "provenance": dict(provenance),
    }
    return description, weights


def load_model(
    folder: Path, models: Mapping[str, Callable[..., AbstractModel]]
) -> tuple[AbstractModel, dict[str, Any]]:
    """Return the model in a folder and its provenance.

    Args:
        folder: that `save_model` wrote.
        models: class by name, for the kinds that may be loaded.

    Raises:
        UnreadableModel: a file is missing, damaged, of another kind or format, or the weights do
            not fit the configuration; the message says which.
    """
    description, weights = _description(folder), _bytes(folder / WEIGHTS)
    model = model_from_bytes(description, weights, models, origin=str(folder))
    return model, dict(description["provenance"])


def model_from_bytes(
    description: Mapping[str, Any],
    weights: bytes,
    models: Mapping[str, Callable[..., AbstractModel]],
    *,
    origin: str,
) -> AbstractModel:
    """Return the model that `model_to_bytes` wrote.

    Args:
        description: its JSON values.
        weights: its numbers.
        models: class by name, for the kinds that may be loaded.
        origin: where it was found, for messages.

    Raises:
        UnreadableModel: it is of another kind or format, or the weights are not the description's
            or do not fit the configuration; the message says which.
    """
    _require_described(description, origin)
    kind = description["kind"]
    if kind not in models:
        known = ", ".join(sorted(models))
        raise UnreadableModel(f"{origin}: holds a {kind!r}; this code knows {known}.")
    if hashlib.sha256(weights).hexdigest() != description["weights_sha256"]:
        raise UnreadableModel(f"{origin}: not the weights that {DESCRIPTION} names.")
    try:
        model = models[kind]()
        model.config = config_from(type(model.config), description["config"])
        model.vocabulary = Vocabulary.from_dict(description["vocabulary"])
        arrays = load(weights)
        own = [name for name in arrays if name.startswith(RECALIBRATION)]
        pieces = {name.removeprefix(RECALIBRATION): arrays.pop(name) for name in own}
        model.recalibration = Recalibration.from_arrays(pieces)
        model.restore(arrays)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError, KTModelError) as error:
        raise UnreadableModel(f"{origin}: a {kind} that does not fit this code: {error}") from error
    return model


def config_from(kind: type, values: Mapping[str, Any]) -> Any:
    """Return a configuration (a dataclass, nested ones too) from JSON values.

    Raises:
        ImpossibleSetting: a name is unknown, or a value is of another type.
    """
    hints = typing.get_type_hints(kind)
    strange = sorted(set(values) - {f.name for f in dataclasses.fields(kind)})
    if strange:
        known = ", ".join(f.name for f in dataclasses.fields(kind))
        raise ImpossibleSetting(f"{kind.__name__} has no {', '.join(strange)}; it has {known}.")
    return kind(**{name: _value(name, hints[name], value) for name, value in values.items()})


def _value(name: str, hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return config_from(typing.cast(type, hint), value)
    if typing.get_origin(hint) is typing.Literal:
        if value in typing.get_args(hint):
            return value
        allowed = ", ".join(map(str, typing.get_args(hint)))
        raise ImpossibleSetting(f"{name} = {value!r}: must be one of {allowed}.")
    if typing.get_origin(hint) is tuple:
        return _tuple(name, typing.get_args(hint)[0], value)
    if isinstance(hint, UnionType):
        hint = tuple(a for a in typing.get_args(hint))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, but True layers are a mistake.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ImpossibleSetting(f"{name} = {value!r}: must be {getattr(hint, '__name__', hint)}.")
    return value


def _tuple(name: str, hint: Any, value: Any) -> tuple[Any, ...]:
    # A word is a sequence too, of letters.
    if not isinstance(value, list | tuple):
        raise ImpossibleSetting(f"{name} = {value!r}: must be a list.")
    return tuple(_value(name, hint, one) for one in value)


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        values = json.loads(_bytes(path))
    except ValueError as error:
        raise UnreadableModel(f"{path}: {error}.") from error
    _require_described(values, str(path))
    return dict(values)


def _require_described(values: Any, origin: str) -> None:
    wanted = ("kind", "format", "config", "vocabulary", "weights_sha256", "provenance")
    if not isinstance(values, Mapping) or not set(wanted) <= set(values):
        raise UnreadableModel(f"{origin}: not a saved model.")
    if values["format"] != FORMAT:
        raise UnreadableModel(f"{origin}: format {values['format']!r}, this code reads {FORMAT}.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableModel(f"{path}: {error.strerror or error}.") from error


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)

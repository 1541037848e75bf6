"""A fitted model as a folder: what it is in JSON, its numbers in safetensors; nothing that runs.

`model.json` holds kind, format, configuration, vocabulary and provenance; `weights.safetensors`
holds the arrays. The weights are written first and the JSON names their hash, so a folder whose
writing was cut off is refused instead of being read half new. It also holds a hash of what it says
itself of kind, configuration and vocabulary: a setting that was changed or lost by hand would else
make another model of the same numbers. Files of format 1 had no such hash and are read without;
until format 3 pieces of long histories were trained without what came before them.
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

FORMAT = 3
READABLE = (1, 2, FORMAT)
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
    description["description_sha256"] = _described_sha256(description)
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
        model.config = config_from(type(model.config), _config_of(description), whole=True)
        model.vocabulary = Vocabulary.from_dict(description["vocabulary"])
        arrays = load(weights)
        own = [name for name in arrays if name.startswith(RECALIBRATION)]
        pieces = {name.removeprefix(RECALIBRATION): arrays.pop(name) for name in own}
        model.recalibration = Recalibration.from_arrays(pieces)
        model.restore(arrays)
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError, KTModelError) as error:
        raise UnreadableModel(f"{origin}: a {kind} that does not fit this code: {error}") from error
    # Last, so that whatever does not fit is named instead of this.
    described = _described_sha256(description)
    if description["format"] > 1 and description.get("description_sha256") != described:
        raise UnreadableModel(f"{origin}: {DESCRIPTION} is not what was saved with the weights.")
    return model


def config_from(kind: type, values: Mapping[str, Any], *, whole: bool = False) -> Any:
    """Return a configuration (a dataclass, nested ones too) from JSON values.

    Args:
        kind: of the configuration.
        values: its settings by name.
        whole: refuse what is not named instead of taking the usual value, which may be another
            than when the values were written.

    Raises:
        ImpossibleSetting: a name is unknown, or missing and `whole` is asked, or a value is of
            another type.
    """
    hints = typing.get_type_hints(kind)
    strange = sorted(set(values) - {f.name for f in dataclasses.fields(kind)})
    if strange:
        known = ", ".join(f.name for f in dataclasses.fields(kind))
        raise ImpossibleSetting(f"{kind.__name__} has no {', '.join(strange)}; it has {known}.")
    found = {name: _value(name, hints[name], value, whole) for name, value in values.items()}
    missing = [f.name for f in dataclasses.fields(kind) if f.name not in values]
    if whole and missing:
        raise ImpossibleSetting(f"{kind.__name__}: {', '.join(missing)} is not given.")
    return kind(**found)


def _value(name: str, hint: Any, value: Any, whole: bool) -> Any:  # noqa: FBT001
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return config_from(typing.cast(type, hint), value, whole=whole)
    if typing.get_origin(hint) is typing.Literal:
        if value in typing.get_args(hint):
            return value
        allowed = ", ".join(map(str, typing.get_args(hint)))
        raise ImpossibleSetting(f"{name} = {value!r}: must be one of {allowed}.")
    if typing.get_origin(hint) is tuple:
        return _tuple(name, typing.get_args(hint)[0], value, whole)
    if isinstance(hint, UnionType):
        hint = tuple(a for a in typing.get_args(hint))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, but True layers are a mistake.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ImpossibleSetting(f"{name} = {value!r}: must be {getattr(hint, '__name__', hint)}.")
    return value


def _tuple(name: str, hint: Any, value: Any, whole: bool) -> tuple[Any, ...]:  # noqa: FBT001
    # A word is a sequence too, of letters.
    if not isinstance(value, list | tuple):
        raise ImpossibleSetting(f"{name} = {value!r}: must be a list.")
    return tuple(_value(name, hint, one, whole) for one in value)


def _config_of(description: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the configuration with the settings that its format did not name yet, as they were."""
    config: Mapping[str, Any] = description["config"]
    return config if description["format"] >= 3 else _without_context(config)


def _without_context(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose trainings, of models in it too, read nothing before a cut."""
    found = {k: _without_context(v) if isinstance(v, Mapping) else v for k, v in config.items()}
    return {"context": 0} | found if "longest" in found else found


def _described_sha256(description: Mapping[str, Any]) -> str:
    named = {name: _plain(description[name]) for name in ("kind", "config", "vocabulary")}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return JSON values as they are after any store: a database may write 1e22 as an integer."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) + 0.0
    return value


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
    if values["format"] not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise UnreadableModel(f"{origin}: format {values['format']!r}, this code reads {known}.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableModel(f"{path}: {error.strerror or error}.") from error


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)

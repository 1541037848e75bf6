"""What a run was asked to do, and with what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Description:
    """What a run was asked to do.

    Attributes:
        kind: `train` on a whole log, or `evaluate` under a protocol.
        model: its name.
        config: its configuration as JSON values.
        seed: of splits, first weights, order of batches, bootstrap.
        log: name, sha256, and how many answers, learners, items and concepts.
        protocol: name, fold, folds and, if fewer are used, training learners; empty for `train`.
        code: see `code_version`.
        libraries: versions by name.
        command: repeats the run.
        started_at: ISO 8601, UTC.
    """

    kind: str
    model: str
    config: Mapping[str, Any]
    seed: int
    log: Mapping[str, Any]
    protocol: Mapping[str, Any]
    code: Mapping[str, Any]
    libraries: Mapping[str, str]
    command: str
    started_at: str

    def differences(self, other: "Description") -> list[str]:
        """Return the names of what differs in a way that changes the result."""
        own, its = essence_of(self), essence_of(other)
        return [name for name in own if own[name] != its[name]]


def essence_of(description: Description) -> dict[str, Any]:
    """Return what decides the result of a run, as JSON values."""
    told = {
        "kind": description.kind,
        "model": description.model,
        "config": description.config,
        "seed": description.seed,
        "log": description.log.get("sha256"),
        "protocol": description.protocol,
    }
    # Through JSON, so that a tuple in a configuration equals the list that was read back.
    values: dict[str, Any] = json.loads(json.dumps(told))
    return values

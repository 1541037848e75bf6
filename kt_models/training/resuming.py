"""What a fit keeps after every epoch, so that a killed one goes on where it stopped."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kt_models.errors import KTModelError
from kt_models.training.sequences import Sequences

RESUME = "resume.pt"


class CannotResume(KTModelError):
    """What a killed fit left behind belongs to another log, configuration or version."""


def fingerprint(
    net: nn.Module,
    *,
    settings: Mapping[str, Any],
    seed: int,
    logs: Sequence[Sequences],
    spans: NDArray[np.int64],
) -> str:
    """Return a hash of all that decides how a fit goes, as hexadecimal digits.

    Args:
        net: the shapes of its weights count, not their values.
        settings: of the training and of the network, as JSON values.
        seed: of the fit.
        logs: what is learnt from and what is held out.
        spans: [W, 3] pieces that are learnt from; other code may cut the same log otherwise.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps(settings, sort_keys=True).encode())
    digest.update(f"{seed} {torch.__version__}".encode())
    for name, value in net.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)}".encode())
    for log in logs:
        for field in dataclasses.fields(log):
            digest.update(np.ascontiguousarray(getattr(log, field.name)).tobytes())
    digest.update(np.ascontiguousarray(spans).tobytes())
    return digest.hexdigest()


def save_state(folder: Path, state: Mapping[str, Any], *, fingerprint: str) -> None:
    """Write the state of a fit; a kill meanwhile leaves the last whole one."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{RESUME}.part"
    torch.save({"fingerprint": fingerprint, **state}, part)
    part.replace(folder / RESUME)


def load_state(folder: Path, *, fingerprint: str, device: torch.device) -> dict[str, Any] | None:
    """Return the state that `save_state` wrote, or None where there is none.

    Raises:
        CannotResume: it is damaged, or that of another fit.
    """
    path = folder / RESUME
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    # torch names no class for what a damaged file can raise, and its words would mislead.
    except Exception as error:
        raise CannotResume(f"{path} is damaged; delete it to begin anew.") from error
    if state.get("fingerprint") != fingerprint:
        raise CannotResume(
            f"{path} belongs to another log, configuration or version of torch; "
            "name another folder, or delete it to begin anew."
        )
    return state

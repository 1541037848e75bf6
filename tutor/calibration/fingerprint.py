"""What a calibration is made from, as one hash: two that share it fit the same to the same."""

import hashlib
import json
from dataclasses import asdict

import numpy as np

from tutor.calibration import engine
from tutor.calibration.collecting import Collected


def hash_inputs(*, collected: Collected, taken: engine.Ints, inputs: engine.Inputs) -> str:
    """Return a hash of the calibrated answers, the settings and all that is known beforehand.

    Not of what the fit starts from, which moves nothing but its last digits, nor of the run whose
    scale it is put on, which the new run names itself.

    Args:
        collected: the log.
        taken: rows that are calibrated.
        inputs: what it is made from beside the log.
    """
    beforehand = inputs.beforehand
    digest = hashlib.sha256()
    # A response never changes, so its id tells learner and version; a correction is another row.
    for column in (collected.row_ids[taken], collected.log.correct[taken]):
        _add(digest, column)
    told = {
        "settings": asdict(inputs.settings),
        "items": beforehand.items,
        "guessing": dict(inputs.guessing),
        "decided": {name: asdict(own) for name, own in inputs.decided.items()},
        "groups": None if inputs.groups is None else dict(inputs.groups),
    }
    digest.update(json.dumps(told, sort_keys=True).encode())
    for column in (
        *(beforehand.author, beforehand.concept, beforehand.text),
        *(beforehand.crowd, beforehand.parent),
    ):
        _add(digest, column)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", column: engine.Floats | engine.Ints) -> None:
    # The shape keeps one column's end apart from the next one's beginning.
    digest.update(f"{column.dtype}{column.shape}".encode())
    digest.update(np.ascontiguousarray(column).tobytes())

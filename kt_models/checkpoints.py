"""Fitted models as JSON files, with where they come from."""

import dataclasses
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from kt_models.errors import KTModelError, UnreadableModel
from kt_models.streaming.psi_parameters import FilterParameters

KIND = "psi-filter"
FORMAT = 1


class Provenance(TypedDict):
    """Where a fitted model comes from.

    Attributes:
        log_sha256: hash of the log it was fitted on.
        learners: learners in that log.
        answers: answers in that log.
        seed: of the sample that the scalars were fitted on.
        fitted_on: ISO date, as told by the caller.
        sample_learners: learners drawn at random, on all of whose answers the scalars were fitted
            in the last turn; item offsets are fitted on everybody's. 0 in files that did not say.
        sample_answers: those answers.
        log_loss: mean prequential log loss of that log's answers without help, in nats; in-sample.
    """

    log_sha256: str
    learners: int
    answers: int
    seed: int
    fitted_on: str
    sample_learners: int
    sample_answers: int
    log_loss: float


@dataclass(frozen=True, slots=True)
class FittedFilter:
    """A psi-filter with all that it learnt from a log.

    Attributes:
        parameters: the global scalars.
        intercept: logit of an average item's offset; what an item nothing is known of gets.
        item_offsets: logit by item key, the intercept included; higher is easier.
        item_ns: answers behind each item's offset; those without help.
        concept_offsets: logit by concept key of the concept's average item, its reference item.
        provenance: where it comes from.
    """

    parameters: FilterParameters
    intercept: float
    item_offsets: Mapping[str, float]
    item_ns: Mapping[str, int]
    concept_offsets: Mapping[str, float]
    provenance: Provenance

    def offset_of(self, item: str, concepts: Iterable[str] = ()) -> float:
        """Return an item's logit offset; an unknown item's is that of its concepts on average."""
        if item in self.item_offsets:
            return self.item_offsets[item]
        known = [self.concept_offsets[k] for k in concepts if k in self.concept_offsets]
        return statistics.fmean(known) if known else self.intercept

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        return {"kind": KIND, "format": FORMAT} | dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FittedFilter":
        """Return the model that `to_dict` wrote.

        Raises:
            UnreadableModel: another kind or format, or a field is missing or out of range.
        """
        if (values.get("kind"), values.get("format")) != (KIND, FORMAT):
            found = f"{values.get('kind')!r} format {values.get('format')!r}"
            raise UnreadableModel(f"Expected a {KIND} of format {FORMAT}, found {found}.")
        try:
            return cls(
                parameters=FilterParameters.from_dict(values["parameters"]),
                intercept=float(values["intercept"]),
                item_offsets={k: float(v) for k, v in values["item_offsets"].items()},
                item_ns={k: int(v) for k, v in values["item_ns"].items()},
                concept_offsets={k: float(v) for k, v in values["concept_offsets"].items()},
                provenance=_provenance(values["provenance"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, KTModelError) as error:
            raise UnreadableModel(f"A damaged {KIND}: {error!r}.") from error


def _provenance(values: Mapping[str, Any]) -> Provenance:
    return Provenance(
        log_sha256=str(values["log_sha256"]),
        learners=int(values["learners"]),
        answers=int(values["answers"]),
        seed=int(values["seed"]),
        fitted_on=str(values["fitted_on"]),
        sample_learners=int(values.get("sample_learners", 0)),
        sample_answers=int(values.get("sample_answers", 0)),
        log_loss=float(values["log_loss"]),
    )


def save_filter(fitted: FittedFilter, path: Path) -> None:
    """Write a fitted filter as JSON; the parent folder must exist."""
    path.write_text(json.dumps(fitted.to_dict(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_filter(path: Path) -> FittedFilter:
    """Return the fitted filter in a file.

    Raises:
        UnreadableModel: no such file, not JSON, or not a psi-filter of this format.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableModel(f"{path}: {error}.") from error
    if not isinstance(values, dict):
        raise UnreadableModel(f"{path}: not a saved model.")
    return FittedFilter.from_dict(values)

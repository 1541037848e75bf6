"""What every policy is: frozen parameters that survive JSON, a version, and a rating."""

import abc
import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self, final

from curriculum.bandits.errors import InvalidPolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating, version_of


@dataclasses.dataclass(frozen=True)
class BasePolicy(abc.ABC):
    """A frozen dataclass of JSON values that rates arms.

    Subclasses set `name` and say in `check` which parameters make no sense.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense.

        Raises:
            InvalidPolicy: a number is not finite, or `check` refuses.
        """
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidPolicy(f"{self.name}: {entry.name} = {value} is not finite.")
        self.check()

    def check(self) -> None:  # noqa: B027 most policies have nothing to add
        """Raise `InvalidPolicy` for parameters that make no sense."""

    @abc.abstractmethod
    def rate(self, choices: Choices) -> Rating:
        """Return scores and shares of the arms of these choices."""

    @final
    @functools.cached_property
    def version(self) -> str:
        """Return name and digest of the parameters: policies of equal version rate alike."""
        return version_of(self.name, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON values: the body of a policy version."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the policy that `to_dict` wrote; parameters left out keep their default.

        Raises:
            InvalidPolicy: a parameter is unknown or out of range.
        """
        lists = {
            name: tuple_of(value) if isinstance(value, list) else value
            for name, value in parameters.items()
        }
        try:
            return cls(**lists)
        except TypeError as error:
            raise InvalidPolicy(f"{cls.name}: {error}.") from error

    def require(self, *, holds: bool, what: str) -> None:
        """Raise `InvalidPolicy` with what should hold, unless it does."""
        if not holds:
            raise InvalidPolicy(f"{self.name}: {what}.")


def tuple_of(values: list[Any]) -> tuple[Any, ...]:
    """Return the list as a tuple, lists in it too: parameters must not change."""
    return tuple(tuple_of(value) if isinstance(value, list) else value for value in values)

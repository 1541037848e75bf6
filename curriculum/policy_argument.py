"""`NAME` or `NAME=FILE` on a command line: a policy, with a JSON file of its parameters."""

import json
from pathlib import Path
from typing import Any

from curriculum.bandits import InvalidPolicy


def parse_policy(text: str) -> tuple[str, dict[str, Any] | None]:
    """Return the name and the parameters, None where no file is given.

    Raises:
        InvalidPolicy: the file cannot be read or holds no JSON object.
    """
    name, _, file = text.partition("=")
    if not file:
        return name, None
    try:
        parameters = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidPolicy(f"{file}: not readable as JSON ({error}).") from error
    if not isinstance(parameters, dict):
        raise InvalidPolicy(f"{file}: give an object of the parameters of {name}.")
    return name, parameters

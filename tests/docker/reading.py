"""Reads Dockerfiles and compose files as far as ours go."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers.process import ROOT

FOLDER = ROOT / "docker"
COMPOSE = FOLDER / "compose.yaml"
GPU = FOLDER / "compose.gpu.yaml"


@dataclass(frozen=True)
class Step:
    """An instruction of a Dockerfile: `RUN`, and what follows it."""

    keyword: str
    text: str


def steps_of(dockerfile: Path) -> list[Step]:
    """Return the instructions of a Dockerfile in order, each on one line."""
    lines = [
        line for line in dockerfile.read_text().splitlines() if not re.match(r"\s*(#|$)", line)
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines()]


def settings_of(text: str) -> dict[str, str]:
    """Return the variables of an ENV or ARG instruction."""
    return dict(word.split("=", 1) for word in shlex.split(text))


def allowed_in_context() -> set[str]:
    """Return the paths that .dockerignore, which begins by leaving out all, lets in."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def compose(*files: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the files as one, with anchors and variables resolved, as `docker compose config`.

    Raises:
        KeyError: a variable that must be set is not; the text is what the file says about it.
    """
    whole: dict[str, Any] = {}
    for file in files:
        text = file.read_text()
        whole = _laid_over(whole, _filled(yaml.safe_load(text), variables))
    return whole


def variables_of(*files: Path) -> set[str]:
    """Return the names of the variables that the files ask for."""
    return {
        name for file in files for name in re.findall(r"\$\{([A-Z_]+)[^}]*\}", file.read_text())
    }


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        name, how, rest = match.groups()
        given = variables.get(name, "")
        if not given and how == ":?":
            raise KeyError(f"{name}: {rest}")
        return given or (rest if how == ":-" else "")

    return re.sub(r"\$\{([A-Z_]+)(?:(:-|:\?)([^}]*))?\}", value, node)


def _laid_over(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: _laid_over(under.get(key), value) for key, value in over.items()}

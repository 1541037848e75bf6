"""Find and read the files of OATutor's content.

Two forms: the content repository (`content-pool/PROBLEM/PROBLEM.json`, each step and each pathway
in a file of its own) and the same in one file `problems.jsonl`. Beside them stand
`coursePlans.json` (courses, lessons, skills) and `skillModel.json` (step -> skills).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.sources import Files

PLANS = "coursePlans.json"
SKILLS = "skillModel.json"
ONE_FILE = "problems.jsonl"
POOL = "content-pool/"
LONGEST_LINE = 5_000_000
_WANTED = (
    f"Wanted is the folder with {PLANS}, {SKILLS} and {POOL} (as in OATutor's content repository) "
    f"or {ONE_FILE}."
)


@dataclass(frozen=True, slots=True)
class Found:
    """One problem as JSON, or what is wrong with the place where it should stand."""

    where: str
    data: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class OATutorFiles:
    """The content's files; `root` is the part of the paths before its own."""

    files: Files
    root: str
    paths: tuple[str, ...]

    @property
    def is_one_file(self) -> bool:
        """Whether the problems stand in one file."""
        return self.root + ONE_FILE in self.paths

    def read_json(self, name: str) -> Any:
        """Return a file beside the problems.

        Raises:
            ContentUnreadable: it is no JSON.
        """
        return _read_json(self.files, self.root + name)


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(folder) and "/" in path[len(folder) :]


def find_content(files: Files) -> OATutorFiles:
    """Return where the content stands, which may be a few folders down.

    Raises:
        ContentUnreadable: a part is missing, or there are several such folders.
    """
    paths = files.paths()
    known = set(paths)
    roots = [path.removesuffix(PLANS) for path in paths if path.split("/")[-1] == PLANS]
    if not roots:
        raise ContentUnreadable(f"{files.name} has no {PLANS}. {_WANTED}")
    full = [
        root
        for root in roots
        if root + ONE_FILE in known or any(path.startswith(root + POOL) for path in paths)
    ]
    if not full:
        raise ContentUnreadable(
            f"{files.name} has {PLANS}, but neither {POOL} nor {ONE_FILE} beside it. {_WANTED}"
        )
    if len(full) > 1:
        places = ", ".join(root or "." for root in full)
        raise ContentUnreadable(f"{files.name} holds the content of several courses: {places}.")
    if full[0] + SKILLS not in known:
        raise ContentUnreadable(f"{files.name} has no {SKILLS} beside {PLANS}. {_WANTED}")
    return OATutorFiles(files, full[0], paths)


def iter_problems(content: OATutorFiles, *, steps: frozenset[str]) -> Iterator[Found]:
    """Yield the problems; folders with none of the steps `steps` are passed over.

    In one file all are read, since only reading tells which steps they have.
    """
    if content.is_one_file:
        yield from _lines(content)
        return
    by_folder = _by_folder(content)
    for name, inside in sorted(by_folder.items()):
        own = {path.split("/")[1] for path in inside if path.startswith("steps/")}
        if not own or own & steps:
            yield _from_folder(content, name, inside)


def _lines(content: OATutorFiles) -> Iterator[Found]:
    with content.files.open(content.root + ONE_FILE) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            where = f"{ONE_FILE}, line {number}"
            if len(line) > LONGEST_LINE:
                raise ContentUnreadable(f"{where}: longer than {LONGEST_LINE:,} bytes.")
            if line.strip():
                yield _parsed(line, where)


def _parsed(data: bytes, where: str) -> Found:
    if b"\x00" in data:
        return Found(where, error="it holds a NUL character")
    try:
        return Found(where, json.loads(data))
    except UnicodeDecodeError:
        return Found(where, error="it is not text in UTF-8")
    except RecursionError:
        return Found(where, error="it is nested too deeply")
    except ValueError as error:
        return Found(where, error=f"it is no JSON: {error}")


def _by_folder(content: OATutorFiles) -> dict[str, list[str]]:
    start = content.root + POOL
    found: dict[str, list[str]] = {}
    for path in content.paths:
        if _is_in(path, start):
            folder, _, inside = path[len(start) :].partition("/")
            found.setdefault(folder, []).append(inside)
    return found


def _from_folder(content: OATutorFiles, name: str, inside: list[str]) -> Found:
    """Return a problem whose parts stand in files of their own, as in one file."""
    place = f"{POOL}{name}"
    if f"{name}.json" not in inside:
        return Found(place, error=f"it has no {name}.json")
    try:
        problem = _object(content, f"{place}/{name}.json")
        steps = {path.split("/")[1] for path in inside if path.startswith("steps/")}
        ordered = sorted(steps, key=step_order)
        problem["steps"] = [_step(content, place, step, inside) for step in ordered]
    except ContentUnreadable as error:
        return Found(place, error=error.message)
    return Found(place, problem)


def step_order(step: str) -> tuple[int, str]:
    """Return what orders the steps of a problem: a to z, and after z come {, | and }."""
    return len(step), step


def _step(content: OATutorFiles, place: str, step: str, inside: list[str]) -> dict[str, Any]:
    own = f"steps/{step}/{step}.json"
    if own not in inside:
        raise ContentUnreadable(f"{place}/{own} is missing.")
    data = _object(content, f"{place}/{own}")
    tutoring = f"steps/{step}/tutoring/"
    data["tutoring"] = {
        path.removeprefix(tutoring): _read_json(content.files, f"{content.root}{place}/{path}")
        for path in inside
        if path.startswith(tutoring)
    }
    return data


def _object(content: OATutorFiles, path: str) -> dict[str, Any]:
    data = _read_json(content.files, content.root + path)
    if not isinstance(data, dict):
        raise ContentUnreadable(f"{path} is no mapping of fields.")
    return dict(data)


def _read_json(files: Files, path: str) -> Any:
    with files.open(path) as stream:
        found = _parsed(stream.read(LONGEST_LINE * 20), path)
    if found.error:
        raise ContentUnreadable(f"{path}: {found.error}.")
    return found.data


def read_skills(content: OATutorFiles) -> Mapping[str, tuple[str, ...]]:
    """Return the skills of each step.

    Raises:
        ContentUnreadable: the file does not map steps to lists of skills.
    """
    data = content.read_json(SKILLS)
    if not isinstance(data, dict):
        raise ContentUnreadable(f"{SKILLS} is no mapping of steps to skills.")
    found: dict[str, tuple[str, ...]] = {}
    for step, skills in data.items():
        if not isinstance(skills, list) or not all(isinstance(skill, str) for skill in skills):
            raise ContentUnreadable(f"{SKILLS}, {step}: the skills must be a list of names.")
        found[step] = tuple(dict.fromkeys(skill for skill in skills if skill.strip()))
    return found

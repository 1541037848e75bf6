"""Read the YAML files of a course folder into plain data, collecting what cannot be read."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

MAX_FILE_BYTES = 5_000_000
# An item's deepest value lies in six. The composer calls itself once a level, without a limit of
# its own where it is libyaml's.
MAX_DEPTH = 50
# libyaml's, eight times as fast, is in all wheels of PyYAML.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_SafeLoader):
    """Refuses a repeated key, of which plain YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} occurs twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# Only true and false are booleans here: YAML 1.1 would also turn a parameter "on" or the
# answer "no" into one.
_StrictLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, problems: list[str]) -> Any:
    """Return the content of one file; None after noting the problem if it cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            problems.append(f"{path.name}: larger than {MAX_FILE_BYTES:,} bytes. Split it.")
            return None
        text = path.read_text(encoding="utf-8")
        if _is_too_deep(text):
            problems.append(f"{path.name}: is nested deeper than {MAX_DEPTH} levels. Flatten it.")
            return None
        # Not the unsafe loader: a SafeLoader with one more refusal.
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506
    except FileNotFoundError:
        problems.append(f"{path.name}: the file is missing from {path.parent}. Create it.")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: cannot be read ({error}).")
    except yaml.YAMLError as error:
        where = " ".join(str(error).replace('in "<unicode string>", line', "in line").split())
        problems.append(f"{path.name}: is not valid YAML: {where}. Quote texts that hold : or #.")
    return None


def _is_too_deep(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=_StrictLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False


def misconception_files(folder: Path) -> Iterator[Path]:
    """Yield the further files that may hold misconceptions, beside course.yaml."""
    yield from sorted(folder.glob("misconceptions*.yaml"))


def item_files(folder: Path) -> Iterator[Path]:
    """Yield the files of items, by name."""
    yield from sorted((folder / "items").glob("*.yaml"))

"""Read the YAML files of a course folder into plain data, collecting what cannot be read."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

MAX_FILE_BYTES = 5_000_000


class _StrictLoader(yaml.SafeLoader):
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
        with path.open(encoding="utf-8") as stream:
            # Not the unsafe loader: a SafeLoader with one more refusal.
            return yaml.load(stream, Loader=_StrictLoader)  # noqa: S506
    except FileNotFoundError:
        problems.append(f"{path.name}: the file is missing from {path.parent}. Create it.")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: cannot be read ({error}).")
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        problems.append(f"{path.name}: is not valid YAML: {where}. Quote texts that hold : or #.")
    return None


def misconception_files(folder: Path) -> Iterator[Path]:
    """Yield the further files that may hold misconceptions, beside course.yaml."""
    yield from sorted(folder.glob("misconceptions*.yaml"))


def item_files(folder: Path) -> Iterator[Path]:
    """Yield the files of items, by name."""
    yield from sorted((folder / "items").glob("*.yaml"))

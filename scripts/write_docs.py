"""Write the generated parts of docs/: the data dictionary and the API reference.

`.venv/bin/python scripts/write_docs.py` rewrites both; with `--check` it writes nothing and ends
with 1 if a file is not what the code says.
"""

import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- Everything below is written by scripts/write_docs.py. -->\n"
APPS = ("accounts", "content", "classes", "responses", "registry", "tracing")
APPS += ("scheduling", "calibration", "outlook", "practice", "alerts", "intake")


def prepare() -> None:
    """Make Django ready, where nobody has yet."""
    import django  # noqa: PLC0415

    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")  # noqa: TID251
    django.setup()


def data_dictionary() -> str:
    """Return every table of ours: what a row is, and each column with its type and its comment."""
    from django.apps import apps  # noqa: PLC0415

    parts = []
    for label in APPS:
        parts.append(f"\n## {label}\n")
        parts += [_table(model) for model in apps.get_app_config(label).get_models()]
    return "\n".join(parts)


def _table(model: Any) -> str:
    comments = _comments(model)
    what = _flat(inspect.getdoc(model) or "")
    lines = [
        f"\n### {model.__name__}\n\n`{model._meta.db_table}`. {what}\n",  # noqa: SLF001
        "| column | type | meaning |",
        "| --- | --- | --- |",
    ]
    for field in model._meta.local_fields:  # noqa: SLF001
        meaning = comments.get(field.name) or _flat(str(field.help_text))
        lines.append(f"| `{field.column}` | {_type(field)} | {_cell(meaning)} |")
    constraints = [constraint.name for constraint in model._meta.constraints]  # noqa: SLF001
    if constraints:
        lines.append("\nConstraints: " + ", ".join(f"`{name}`" for name in constraints) + ".")
    return "\n".join(lines)


def _type(field: Any) -> str:
    plain = type(field).__name__.removesuffix("Field")
    name = plain if plain.isupper() else re.sub(r"(?<!^)(?=[A-Z])", " ", plain).lower()
    words = [name if not field.is_relation else f"→ {field.related_model.__name__}"]
    if field.is_relation and field.unique:
        words.append("unique")
    elif field.primary_key:
        words.append("primary key")
    elif field.unique:
        words.append("unique")
    if field.null:
        words.append("may be empty")
    if field.choices:
        words.append("one of " + ", ".join(f"`{value}`" for value, _ in field.choices))
    return ", ".join(words)


def _comments(model: Any) -> dict[str, str]:
    """Return column -> the comment that stands above it in the source."""
    found: dict[str, str] = {}
    waiting: list[str] = []
    for line in inspect.getsource(model).splitlines():
        text = line.strip()
        assigned = re.match(r"(\w+) = ", text)
        if text.startswith("#"):
            waiting.append(text.removeprefix("#").strip())
        elif assigned and waiting:
            found[assigned[1]] = " ".join(waiting)
            waiting = []
        else:
            waiting = []
    return found


def api_reference() -> str:
    """Return every operation of the API with its fields, and every error code."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415

    document = SchemaGenerator().get_schema(request=None, public=True)
    parts = ["\n## Operations\n"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append(_operation(path, method, operation))
    parts.append("\n## Documents\n")
    for name, schema in document["components"]["schemas"].items():
        if schema.get("properties"):
            parts.append(_document(name, schema))
    text = _with_enums("\n".join(parts), document["components"]["schemas"])
    parts = [text]
    parts.append("\n## Error codes\n\n| code | status | when |\n| --- | --- | --- |")
    parts += [f"| `{code}` | {status} | {_cell(why)} |" for code, status, why in error_codes()]
    return "\n".join(parts)


def _with_enums(text: str, schemas: dict[str, Any]) -> str:
    """Return the text with the values of a named choice in place of a link to it."""
    for name, schema in schemas.items():
        if "enum" in schema:
            values = ", ".join(f"`{value}`" for value in schema["enum"])
            text = text.replace(f"[{name}](#{name.lower()})", f"one of {values}")
    return text


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`\n"]
    lines.append(f"`{operation['operationId']}`. {_flat(operation.get('description', ''))}\n")
    lines += [
        f"- query `{parameter['name']}`: {parameter.get('description', '')}"
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    if "requestBody" in operation:
        lines.append(f"- send: {_reference(operation['requestBody'])}")
    for status, response in operation["responses"].items():
        if int(status) < 400:
            lines.append(f"- {status}: {_reference(response)}")
    return "\n".join(lines) + "\n"


def _reference(holder: dict[str, Any]) -> str:
    if "content" not in holder:
        return "nothing"
    media_type, content = next(iter(holder["content"].items()))
    if not media_type.endswith("json"):
        return " or ".join(f"`{kind}`" for kind in holder["content"])
    return _kind(content["schema"])


def _document(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", []))
    lines = [f"### {name}\n\n{_flat(schema.get('description', ''))}\n"]
    lines += ["| field | type | meaning |", "| --- | --- | --- |"]
    for field, inner in schema["properties"].items():
        optional = "" if field in required else ", optional"
        meaning = _cell(_flat(inner.get("description", "")))
        lines.append(f"| `{field}` | {_kind(inner)}{optional} | {meaning} |")
    return "\n".join(lines) + "\n"


def _kind(schema: dict[str, Any]) -> str:
    parts = [schema, *schema.get("allOf", []), *schema.get("oneOf", [])]
    reference = next((part["$ref"] for part in parts if "$ref" in part), None)
    if reference:
        name = reference.rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    kind = schema.get("type", "object")
    kinds = [kind] if isinstance(kind, str) else kind
    words = " or ".join(schema.get("format", one) if one == "string" else one for one in kinds)
    if "array" in kinds:
        return f"{words} of {_kind(schema['items'])}"
    return words


def error_codes() -> list[tuple[str, int, str]]:
    """Return (code, status, first sentence of its docstring) of every error, by code."""
    import tutor  # noqa: PLC0415
    from tutor.common.errors import TutorError  # noqa: PLC0415

    for module in pkgutil.walk_packages(tutor.__path__, "tutor."):
        if re.search(r"\.(errors|answers|truth)$|grading$", module.name):
            importlib.import_module(module.name)
    found = {
        (kind.code, kind.status, _flat((inspect.getdoc(kind) or "").split("\n\n")[0]))
        for kind in _descendants(TutorError)
        if hasattr(kind, "code") and kind.__module__.startswith("tutor.")
    }
    return sorted(found)


def _descendants(kind: type) -> Iterator[Any]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


GENERATED = {"data_dictionary.md": data_dictionary, "api.md": api_reference}


def written(name: str) -> str:
    """Return what the file should hold: its own head as it stands, and the generated part."""
    head, mark, _ = (ROOT / "docs" / name).read_text().partition(MARK)
    if not mark:
        message = f"docs/{name} lacks the line {MARK.strip()}"
        raise ValueError(message)
    return head + MARK + GENERATED[name]().rstrip() + "\n"


def main() -> int:
    """Write or check both files; return the exit code."""
    prepare()
    status = 0
    for name in GENERATED:
        path = ROOT / "docs" / name
        text = written(name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif path.read_text() != text:
            print(f"docs/{name} is not what the code says: run scripts/write_docs.py")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

"""The guides name what is there, and nothing else."""

import doctest
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from celery import current_app
from django.apps import apps
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from curriculum.scheduler import FinishCode, Mode, ReasonCode
from curriculum.scheduler.eligibility import NOT_PINNED, RULES
from kt_models.streaming.psi_parameters import FilterParameters
from tests.servers.process import ROOT
from tutor.scheduling.reasons import FINISHES

GUIDES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SUFFIXES = "py|sh|md|txt|in|yaml|yml|json|html|png|svg|toml"
# What a guide may name as a path though no file of that name is kept: made or given by the reader.
MADE_LATER = {
    "course.yaml",
    "docker/.env",
    "docker/tutor.env",
    "items/NAME.yaml",
    "NAME.rejects.csv",
}


def name_of(guide: Path) -> str:
    return str(guide.relative_to(ROOT))


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def everything() -> str:
    return "\n".join(guide.read_text() for guide in GUIDES)


def generator():
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "scripts" / "write_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def variables_read() -> set[str]:
    """The names after TUTOR_ that any file of tutor/config asks the environment for."""
    sources = (path.read_text() for path in (ROOT / "tutor" / "config").glob("*.py"))
    asked = r'environment\.(text|flag|words|whole_number|secret)\(\s*"([A-Z_]+)"'
    found = {pair for source in sources for pair in re.findall(asked, source)}
    # What is a secret may also come from a file.
    files = {f"{name}_FILE" for how, name in found if how == "secret"}
    return files | {name for _, name in found}


@pytest.mark.parametrize("guide", ["docs/administrators.md", "docs/settings.md"])
def test_a_guide_has_a_row_for_every_variable_and_none_for_others(guide):
    described = set(re.findall(r"^\| `TUTOR_([A-Z_]+)` \|", text_of(guide), re.MULTILINE))

    assert len(described) > 5
    assert described == variables_read()


def test_the_guides_name_no_variable_that_nobody_reads():
    named = set(re.findall(r"\bTUTOR_([A-Z_]*[A-Z])\b", everything()))

    assert named == variables_read()


@pytest.mark.parametrize("name", ["data_dictionary.md", "api.md"])
def test_generated_guides_are_what_the_code_says(name):
    assert text_of(f"docs/{name}") == generator().written(name), "run scripts/write_docs.py"


def test_the_generator_finds_every_error_code():
    source = "\n".join(path.read_text() for path in (ROOT / "tutor").rglob("*.py"))
    written = set(re.findall(r'^    code = "([a-z]+\.[a-z-]+)"$', source, re.MULTILINE))

    assert len(written) > 15
    assert written == {code for code, _, _ in generator().error_codes()}


def test_every_table_has_a_section():
    own = [model for model in apps.get_models() if model.__module__.startswith("tutor.")]
    shown = set(re.findall(r"^`(\w+)`\. ", text_of("docs/data_dictionary.md"), re.MULTILINE))

    # Tables that only link two others are described by the link's own name, if they have one.
    assert shown >= {model._meta.db_table for model in own if not model._meta.auto_created}


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            yield address


def test_every_endpoint_of_the_api_is_described():
    guide = text_of("docs/api.md")
    served = {
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)
        for address in addresses(get_resolver().url_patterns)
        if address.startswith("api/v1/")
    }

    assert len(served) > 4
    assert [address for address in sorted(served) if f"{address}`" not in guide] == []


def test_every_task_is_described():
    current_app.loader.import_default_modules()
    own = {name for name in current_app.tasks if not name.startswith("celery.")}

    assert own
    assert [name for name in sorted(own) if f"`{name}`" not in text_of("docs/developers.md")] == []


def test_every_command_is_described_and_no_other():
    own = {name for name, app in get_commands().items() if app.startswith("tutor.")}
    guide = text_of("docs/developers.md")
    known = {*get_commands()}

    assert len(own) > 4
    assert [name for name in sorted(own) if f"`manage.py {name}" not in guide] == []
    assert set(re.findall(r"manage\.py ([a-z_]+)", everything())) <= known


def test_modules_that_can_be_run_are_described():
    runnable = [
        module.name.removesuffix(".__main__")
        for package in ("tutor", "kt_models", "curriculum")
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if module.name.endswith(".__main__")
    ]

    assert runnable == ["kt_models", "curriculum"]
    assert [name for name in runnable if f"python -m {name}" not in everything()] == []
    named = set(re.findall(r"python -m ((?:tutor|kt_models|curriculum|tests)[\w.]*)", everything()))
    assert [name for name in sorted(named) if importlib.util.find_spec(name) is None] == []


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


def test_every_target_is_described_and_no_other():
    guide = everything()
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", guide, re.MULTILINE))

    assert "demo" in targets()
    assert named == targets()


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_links_lead_somewhere(guide):
    # What stands between backticks shows how something is written; it leads nowhere.
    text = re.sub(r"`[^`\n]*`", "", guide.read_text())
    broken = [
        link
        for link in re.findall(r"\]\(([^)#\s]+)\)", text)
        if not link.startswith("http") and not (guide.parent / link).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_anchors_lead_to_headings(guide):
    text = guide.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

    assert [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in anchors] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_paths_exist(guide):
    named = set(re.findall(rf"[\w./-]*/[\w.-]+\.(?:{SUFFIXES})\b", guide.read_text()))
    own = {
        path
        for path in named - MADE_LATER
        if re.match(r"(tutor|kt_models|curriculum|tests|scripts|docker|docs)/", path)
    }

    assert [path for path in sorted(own) if not (ROOT / path).exists()] == []


def test_paths_are_looked_for_at_all():
    named = re.findall(rf"`[\w./-]+/[\w.-]+\.(?:{SUFFIXES})", text_of("docs/developers.md"))

    assert len(named) > 15


@pytest.mark.parametrize("guide", [g for g in GUIDES if ">>> " in g.read_text()], ids=name_of)
def test_examples_run(guide):
    failed, tried = doctest.testfile(str(guide), module_relative=False)

    assert tried > 0
    assert failed == 0


def test_the_tracer_is_shown_by_example():
    assert ">>> " in text_of("docs/tracing.md")


def test_the_parameters_of_the_filter_stand_with_their_defaults():
    rows = dict(
        re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) \|", text_of("docs/tracing.md"), re.MULTILINE)
    )

    assert {name: float(value) for name, value in rows.items()} == FilterParameters().to_dict()


def test_every_reason_and_rule_of_the_scheduler_is_explained():
    guide = text_of("docs/scheduler.md")
    codes = {*ReasonCode, *FinishCode, *Mode, *FINISHES, *(name for name, _ in RULES), NOT_PINNED}

    assert [code for code in sorted(codes) if f"`{code}`" not in guide] == []


def test_pictures_are_small():
    pictures = [*(ROOT / "docs" / "pictures").iterdir()]

    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 150_000] == []


def test_the_containers_run_every_process_that_the_guide_starts():
    guide = text_of("docs/administrators.md")
    started = re.findall(r"^\.venv/bin/celery --app \S+ (\w+)(.*)$", guide, re.MULTILINE)
    by_hand = {options.partition("--queues ")[2] for kind, options in started if kind == "worker"}
    compose = yaml.safe_load(text_of("docker/compose.yaml"))
    commands = [one.get("command", []) for one in compose["services"].values()]
    in_containers = {one[one.index("--queues") + 1] for one in commands if "worker" in one}

    assert by_hand == in_containers
    assert [kind for kind, _ in started].count("beat") == 1
    assert sum("beat" in one for one in commands) == 1
    volumes = [volume for one in compose["services"].values() for volume in one.get("volumes", [])]
    assert {volume.split(":")[0] for volume in volumes} == set(compose["volumes"])

"""The guides name what is there, and nothing else."""

import re

from tests.servers.process import ROOT


def test_administrators_find_every_variable():
    settings = (ROOT / "tutor" / "config" / "settings.py").read_text()
    guide = (ROOT / "docs" / "administrators.md").read_text()
    read = set(re.findall(r'environment\.(?:text|flag|words)\(\s*"([A-Z_]+)"', settings))

    described = set(re.findall(r"^\| `TUTOR_([A-Z_]+)` \|", guide, re.MULTILINE))

    assert len(read) > 5
    assert described == read


def test_the_files_that_administrators_are_sent_to_exist():
    guide = (ROOT / "docs" / "administrators.md").read_text()

    named = set(re.findall(r"(?:docker|scripts)/[\w.-]+\w", guide)) - {"docker/.env"}

    assert len(named) > 2
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []

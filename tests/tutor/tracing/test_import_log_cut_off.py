"""An import that is cut off anywhere goes on to the same end."""

import os
import signal
import subprocess
import sys

import pytest

from tests import factories
from tests.servers.process import ROOT
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tests.tutor.tracing.imports import (
    PowerCut,
    answers_of,
    course_named,
    cut_at,
    import_log,
    masteries_of,
    newest_import,
)
from tutor.content.models import Item
from tutor.responses.importing import apply
from tutor.responses.models import LogImport
from tutor.tracing import rebuilding

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CUTS = {
    "before the learners": ("tutor.accounts.services.admit_learners", 1, "before"),
    "after the learners": ("tutor.accounts.services.admit_learners", 1, "after"),
    "in the second chunk": ("tutor.responses.services.append_log", 2, "after"),
    "after the last chunk": ("tutor.responses.services.append_log", 6, "after"),
    "before the fit": ("tutor.registry.training.fit_filter", 1, "before"),
    "after the fit": ("tutor.registry.training.fit_filter", 1, "after"),
    "while folding": ("tutor.tracing.services.store_folded", 3, "after"),
    "before the switch": ("tutor.registry.services.promote", 1, "before"),
}


class TestCutOff:
    @pytest.mark.parametrize("where", CUTS)
    def test_goes_on_to_what_an_uninterrupted_import_gives(self, tmp_path, monkeypatch, where):
        monkeypatch.setattr(apply, "CHUNK", 100)
        monkeypatch.setattr(rebuilding, "CHUNK_LEARNERS", 2)
        path = write_log(tmp_path / "log.csv", made_up_rows())
        whole = factories.make_organisation()
        cut = factories.make_organisation(pseudonym_key=whole.pseudonym_key)
        import_log(path, "--organisation", whole.slug)
        options = ("--organisation", cut.slug)
        if where == "while folding":
            options += ("--no-fit",)

        with monkeypatch.context() as patch:
            cut_at(patch, *CUTS[where])
            with pytest.raises(PowerCut):
                import_log(path, *options)
        import_log(path, "--organisation", cut.slug)

        expected, found = course_named("log", whole), course_named("log", cut)
        assert answers_of(found) == answers_of(expected)
        assert masteries_of(found) == masteries_of(expected)
        assert Item.objects.filter(course=found).count() == 12
        newest = newest_import()
        assert newest.finished_at is not None
        imports = LogImport.objects.filter(organisation=cut)
        assert sum(run.rows_added for run in imports) == 600

    def test_kill_9_leaves_whole_chunks(self, place, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows())
        run = [sys.executable, "-c", KILLED_IN_THE_SECOND_CHUNK, str(path)]
        environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT)}

        killed = subprocess.run(run, env=environment, cwd=tmp_path, check=False)
        after_kill = place.query(COUNT_ANSWERS)
        said = place.manage("import_log", "csv", str(path))

        assert killed.returncode == -signal.SIGKILL
        assert after_kill == [(100, 100)]
        assert "500 answers added, 100 were there already." in said
        assert place.query(COUNT_ANSWERS) == [(600, 600)]
        assert "live" in said


COUNT_ANSWERS = "SELECT count(*), count(DISTINCT client_key) FROM responses_response"
KILLED_IN_THE_SECOND_CHUNK = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from tutor.responses import services
from tutor.responses.importing import apply

apply.CHUNK, append, calls = 100, services.append_log, iter(range(2))

def append_and_die(**arguments):
    added = append(**arguments)
    if next(calls) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return added

services.append_log = append_and_die
call_command("import_log", "csv", sys.argv[1])
"""

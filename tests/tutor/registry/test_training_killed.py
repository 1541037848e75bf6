"""A training in a process of its own is killed and gone on with by the next."""

import os
import subprocess
import sys
import time

import pytest

from tests.servers.process import ROOT
from tests.servers.site import migrated

pytestmark = pytest.mark.slow

PREPARE = """
from tests.factories import make_organisation
from tests.tutor.calibration.logs import a_course, answer_all
answer_all(a_course(organisation=make_organisation()), learners=60)
"""
GIVEN = ("hidden=8", "width=8", "attention=0", "window=16", "training.epochs=12")
TRAIN = f"""
from django.core.management import call_command
from tutor.registry import learning
learning.TELLING_ANSWERS = 1
call_command("train_network", course="physics", set={[*GIVEN, "training.positions=1024"]})
"""
# The same training once more, not broken off, ends with the same weights, which are stored once.
GO_ON = f"""
from kt_models.training import trainer
from tutor.registry.models import Network, TrainingJob
epochs, run = [], trainer._Fit.run_epoch
def counted(fit):
    epochs.append(fit)
    return run(fit)
trainer._Fit.run_epoch = counted
TrainingJob.objects.update(claim=None)  # its signs of life have grown old
{TRAIN}
gone_on = len(epochs)
{TRAIN}
jobs = TrainingJob.objects.values_list("state", flat=True)
print(0 < gone_on < len(epochs) - gone_on, Network.objects.count(), *jobs)
"""


def test_a_killed_process_is_gone_on_with(places):
    place = places.make(*migrated(("shell", "-v0", "-c", PREPARE)))
    training = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", TRAIN],
        cwd=ROOT,
        env={**os.environ, **place.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kept = place.var / "training" / "training-1" / "fold-0" / "resume.pt"
    until_s = time.monotonic() + 180
    while not kept.exists():
        assert training.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until_s, "no epoch was kept in time"
        time.sleep(0.01)
    training.kill()
    training.wait()
    assert place.query("SELECT state FROM registry_trainingjob") == [("running",)]

    said = place.manage("shell", "-v0", "-c", GO_ON)

    assert "going on with the training of" in said
    assert said.splitlines()[-1] == "True 1 done done"

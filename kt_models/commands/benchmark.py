"""`benchmark`: sets x folds x models, a run each, and the table of what they reached."""

import argparse
import dataclasses
import sys
from typing import Any

from kt_models.commands.common import (
    FIGURES_HEAD,
    command_line,
    described,
    evaluation_command,
    figures_line,
    fitting_bar,
    now,
)
from kt_models.commands.evaluate import protocol_of
from kt_models.data.log import ResponseLog
from kt_models.errors import KTModelError
from kt_models.evaluation.protocols import trial_of
from kt_models.runs import tables
from kt_models.runs.benchmark import Job, log_path, plan, read_set, read_settings
from kt_models.runs.code_version import code_version, library_versions
from kt_models.runs.execution import Manner, Request, evaluate
from kt_models.runs.files import write_json, write_text, writing
from kt_models.runs.folder import FolderBusy


class JobsFailed(KTModelError):
    """Some evaluations of a benchmark failed; the others are done."""


def run(options: argparse.Namespace) -> None:
    """Run what is not done yet and make the table of all that is.

    Raises:
        JobsFailed: some evaluations failed; what failed and why was told when it did.
        KTModelError: a name, the settings or the folder do not do.
    """
    jobs = list(
        plan(
            options.out,
            sets=options.sets,
            models=options.models,
            folds=options.folds,
            protocol=options.protocol,
            settings=read_settings(options.settings) if options.settings else {},
        )
    )
    failed = [] if options.collect else _run_all(options, jobs)
    _write_table(options)
    if failed:
        names = "\n".join(str(job.folder.path) for job in failed)
        raise JobsFailed(f"{len(failed)} of {len(jobs)} evaluations failed:\n{names}")


def _run_all(options: argparse.Namespace, jobs: list[Job]) -> list[Job]:
    """Run the jobs that are not done and return those that failed."""
    failed: list[Job] = []
    name, log, sha256 = "", None, ""
    for number, job in enumerate(jobs, start=1):
        try:
            # One log at a time: the largest takes hundreds of megabytes.
            if log is None or name != job.set_name:
                name, log = job.set_name, read_set(options.data, job.set_name)
                sha256 = log.sha256()
                print(f"{name}: {described(log)}\n{'':10}{FIGURES_HEAD}", flush=True)
            # Also where the job is done: another choice may have been noted since.
            job.note_candidates()
            if job.done(seed=options.seed, log_sha256=sha256):
                continue
            metrics = _run(options, job, log)
        except FolderBusy as busy:
            print(busy, file=sys.stderr, flush=True)
        except KTModelError as error:
            failed.append(job)
            print(f"{job.folder.path}: {error}", file=sys.stderr, flush=True)
        else:
            place = f"{number}/{len(jobs)}"
            print(f"{place:7} {job.fold} {figures_line(metrics)}", flush=True)
    return failed


def _run(options: argparse.Namespace, job: Job, log: ResponseLog) -> dict[str, Any]:
    trial = trial_of(log, options.protocol, fold=job.fold, seed=options.seed)
    protocol = protocol_of(options.protocol, fold=job.fold, folds=5)
    request = Request(
        model=job.model,
        log=log,
        log_name=job.set_name,
        seed=options.seed,
        command="",
        started_at=now(),
        settings=job.settings,
    )
    again = evaluation_command(
        request,
        log=log_path(options.data, job.set_name),
        protocol=protocol,
        resamples=options.resamples,
        out=job.folder.path,
    )
    request = dataclasses.replace(request, command=again)
    with fitting_bar(f"{job.set_name} fold {job.fold} {job.model}") as show:
        manner = Manner(resume=True, progress=show)
        return evaluate(
            job.folder.path, request, trial, protocol, manner, resamples=options.resamples
        )


def published_command(options: argparse.Namespace) -> str:
    """Return the command without this machine's paths: DATA holds the sets, RUNS the runs."""
    words = ["benchmark", "--data", "DATA", "--out", "RUNS", "--protocol", options.protocol]
    for name in ("sets", "models", "folds"):
        words += [f"--{name}", ",".join(map(str, getattr(options, name)))]
    words += ["--seed", str(options.seed), "--resamples", str(options.resamples)]
    for name in ("settings", "docs"):
        path = getattr(options, name)
        if path is not None:
            words += [f"--{name}", path.name if path.is_absolute() else str(path)]
    return command_line([*words, "--collect"] if options.collect else words)


def _write_table(options: argparse.Namespace) -> None:
    result = {
        "command": published_command(options),
        "measured_at": now(),
        "protocol": options.protocol,
        "seed": options.seed,
        "code": code_version(),
        "libraries": library_versions(),
        "sets": tables.collect(
            options.out,
            protocol=options.protocol,
            sets=options.sets,
            models=options.models,
            seed=options.seed,
        ),
    }
    if not result["sets"]:
        print("nothing is finished yet, so there is no table")
        return
    text = tables.section(result)
    with writing(options.out):
        write_json(options.out / "table.json", result)
        write_text(options.out / "table.md", text)
    if options.docs is not None:
        with writing(options.docs):
            name = tables.file_name(options.protocol)
            write_json(options.docs / "benchmarks" / name, result)
            tables.put_section(options.docs / "benchmarks.md", text)
    print(f"wrote {options.out / 'table.md'}")

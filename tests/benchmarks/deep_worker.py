"""What the deep tracer's worker does in a second, beside the bare network on the same learners.

    .venv/bin/python -m tests.benchmarks.deep_worker

PostgreSQL; the demo course, CAKT with items in its usual size, 288 learners with 60 answers. In
each round every learner of a pass has one new answer: a pass claims them, reads, advances,
predicts what is within reach of each, stores, strikes off. Beside it the bare network advances and
predicts the same learners' arrays, and the worker takes learners one at a time. Then answers come
in steadily at 70 % of the measured capacity and the time until each one's prediction is stored is
taken. Writes docs/benchmarks/deep_worker.json and its section of docs/benchmarks.md.
"""

import datetime as dt
import os
import statistics
import threading
import time

import numpy as np

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.postgres import postgres_server

LEARNERS, ANSWERS, PASS, ALONE, ROUNDS = 288, 60, 256, 16, 5
STEADY_S = 20.0
# Learners that the network is trained on.
TRAINED = 60


def main() -> None:
    with postgres_server(keeps_commits=True) as url:
        os.environ["TUTOR_DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "tutor.config.settings"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        result = circumstances() | run()
    write("deep_worker", result=result, section=section(result))
    print(section(result))


def run() -> dict[str, object]:
    import torch

    course, learners = prepare()
    torch.set_num_threads(1)
    samples = {"pass": [], "bare": [], "alone": []}
    print("prepared", flush=True)
    for number in range(ROUNDS):
        answer_each(course, learners[:PASS], number)
        samples["bare"].append(bare(course, learners[:PASS]) / PASS)
        samples["pass"].append(timed_pass(PASS, PASS) / PASS)
        answer_each(course, learners[PASS : PASS + ALONE], number)
        samples["alone"].append(timed_pass(ALONE, 1) / ALONE)
        print({name: f"{1000 * own[-1]:.2f} ms" for name, own in samples.items()}, flush=True)
    each_ms = {name: 1000 * statistics.median(own[1:]) for name, own in samples.items()}
    capacity = 1000 / each_ms["pass"]
    rate = min(0.7 * capacity, 60.0)
    delays = steady(course, learners, rate)
    return {
        "learners": LEARNERS,
        "history": ANSWERS,
        "pass": PASS,
        "each_ms": {name: round(value, 3) for name, value in each_ms.items()},
        "batched_over_alone": round(each_ms["alone"] / each_ms["pass"], 2),
        "pass_over_bare": round(each_ms["pass"] / each_ms["bare"], 2),
        "answers_per_s_per_core": round(capacity, 1),
        "steady_rate": round(rate, 1),
        "steady_share": round(rate / capacity, 2),
        "delay_p50_s": round(float(np.quantile(delays, 0.5)), 3),
        "delay_p95_s": round(float(np.quantile(delays, 0.95)), 3),
        "steady_answers": len(delays),
    }


def prepare():
    """Return the course with a network of the usual size, and learners folded so far."""
    from kt_models.models.cakt_item import CaktItem, CaktItemConfig
    from kt_models.training.trainer import TrainingConfig
    from tests.factories import AT, make_organisation
    from tests.tutor.histories import bulk_history, tracer_of
    from tests.tutor.networks import POOL
    from tutor.accounts.models import Learner
    from tutor.content import course_format
    from tutor.content import services as content_services
    from tutor.demo.seeding import COURSE_FOLDER
    from tutor.registry import networks, training
    from tutor.registry import selectors as registry_selectors
    from tutor.registry import services as registry_services
    from tutor.tracing import deep_folding, rebuilding
    from tutor.tracing import services as tracing_services

    organisation = make_organisation()
    spec = course_format.read_course(COURSE_FOLDER, seeds=1)
    course = content_services.load_course(organisation=organisation, spec=spec).course
    tracing_services.give_prior_tracer(course=course, at=AT)
    # Without accounts: to make a password takes longer than all the rest.
    learners = [Learner.objects.create(organisation=organisation) for _ in range(LEARNERS)]
    for number, learner in enumerate(learners):
        bulk_history(learner=learner, course=course, size=ANSWERS, seed=number)
    model = CaktItem(CaktItemConfig(training=TrainingConfig(epochs=1)))
    # What it has learnt does not matter here.
    log = training.read_log(course=course)
    model.fit(log.only_learners(np.arange(TRAINED)))
    network = networks.store_network(course=course, model=model, provenance={})
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    deep = {"network": network.pk, "sha256": network.sha256, "pool": POOL}
    version = registry_services.store_tracer(
        course=course, body={**live.body, "deep": deep}, provenance={}
    )
    registry_services.promote(course=course, tracer=version, at=AT, reason="benchmark")
    tracer = tracer_of(course)
    list(rebuilding.fold_everybody(tracer=tracer))
    deep_folding.fold_everybody(tracer=tracer, before=None, now=lambda: AT)
    return course, learners


def answer_each(course, learners, number) -> None:
    """Record one more answer of each learner, and mark them: not measured."""
    from tests.factories import AT
    from tests.tutor.histories import record, trace, versions_of

    versions = versions_of(course)
    for place, learner in enumerate(learners):
        at = AT + dt.timedelta(days=1 + number, seconds=place)
        version = versions[(7 * number + place) % len(versions)]
        trace(
            record(learner=learner, course=course, version=version, answered_at=at), course=course
        )


def timed_pass(count: int, size: int) -> float:
    """Return the seconds in which the worker's own loop does what is due."""
    from tutor.tracing import working

    began = time.perf_counter()
    done = working.work_off(size=size, window=working.Window(), turn_s=600)
    assert done == count, (done, count)
    return time.perf_counter() - began


def bare(course, learners) -> float:
    """Return the seconds of the network alone: one answer each, and as many questions."""
    from tests.tutor.histories import tracer_of
    from tutor.registry import networks
    from tutor.tracing import forward, reach
    from tutor.tracing.engine import TracedLearner
    from tutor.tracing.models import DeepState, LearnerState

    tracer = tracer_of(course)
    model = networks.open_network(tracer.deep.network_id)
    layout = forward.lay_out(tracer, model)
    ids = [learner.pk for learner in learners]
    rows = DeepState.objects.filter(learner__in=ids, tracer=tracer.tracer_id).order_by("learner")
    states = model.unpack([bytes(row.state) for row in rows])
    now = time.time()
    asked = [
        reach.choose_rows(
            tracer, TracedLearner.from_bytes(bytes(row.state)), at=now, known=layout.known
        )
        for row in LearnerState.objects.filter(learner__in=ids, tracer=tracer.tracer_id).order_by(
            "learner"
        )
    ]
    items = np.full((len(ids), max(map(len, asked))), -1, dtype=np.int64)
    for place, own in enumerate(asked):
        items[place, : len(own)] = layout.known[own]
    answers = model.vocabulary.answers(
        item=np.zeros(len(ids), dtype=np.int64),
        starts=np.arange(len(ids) + 1),
        correct=np.ones(len(ids)),
        shown_at=np.full(len(ids), now),
        answered_at=np.full(len(ids), now),
    )
    began = time.perf_counter()
    after = model.advance(states, answers)
    model.predict_each(after, items=items, shown_at=np.full(len(ids), now))
    return time.perf_counter() - began


def steady(course, learners, rate: float) -> list[float]:
    """Return seconds from an answer until its prediction is stored, answers coming at `rate`."""
    from django.db import connection

    from tests.tutor.histories import record, trace, versions_of
    from tutor.common import clock
    from tutor.tracing import working
    from tutor.tracing.models import DeepState

    stop, delays, waiting = threading.Event(), [], {}
    lock = threading.Lock()

    def work():
        window = working.Window()
        while not stop.is_set():
            working.work_off(window=window, turn_s=1.0)
            with lock:
                told = dict(
                    DeepState.objects.filter(learner__in=list(waiting)).values_list(
                        "learner", "last_response_id"
                    )
                )
                now = time.perf_counter()
                for pk, (response, began) in list(waiting.items()):
                    if told.get(pk, 0) >= response:
                        delays.append(now - began)
                        del waiting[pk]
            time.sleep(0.01)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    versions, began, number = versions_of(course), time.perf_counter(), 0
    while time.perf_counter() - began < STEADY_S:
        learner = learners[number % len(learners)]
        response = record(
            learner=learner,
            course=course,
            version=versions[number % len(versions)],
            answered_at=clock.now(),
        )
        trace(response, course=course)
        with lock:
            waiting[learner.pk] = (response.pk, time.perf_counter())
        number += 1
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
    time.sleep(3)
    stop.set()
    thread.join()
    return delays


def section(result: dict[str, object]) -> str:
    each = result["each_ms"]
    lines = (
        "## The deep tracer's worker",
        "",
        (
            f"`{result['command']}`, {result['date']}, commit {result['commit']}, "
            f"{result['hardware']}, load {result['load_before']} before. PostgreSQL, CAKT with "
            f"items in its usual size on one thread, {result['learners']} learners with "
            f"{result['history']} answers. A pass of {result['pass']} learners with a new answer "
            "each: claimed, read, advanced, asked about what is within reach, stored."
        ),
        "",
        "| | ms a learner | ratio |",
        "|---|---|---|",
        f"| pass of {result['pass']} | {each['pass']:.2f} | |",
        (
            f"| bare network, same learners | {each['bare']:.2f} | pass / bare "
            f"{result['pass_over_bare']:.2f} |"
        ),
        (
            f"| one at a time | {each['alone']:.2f} | alone / pass "
            f"{result['batched_over_alone']:.1f} |"
        ),
        "",
        (
            f"Capacity: {result['answers_per_s_per_core']:.0f} answers a second and core. With "
            f"answers coming at {result['steady_rate']:.0f} a second "
            f"({result['steady_share']:.0%} of it), from an answer to its stored prediction: "
            f"median {result['delay_p50_s']:.2f} s, p95 {result['delay_p95_s']:.2f} s."
        ),
        "",
        (
            "Meant to be reached: batched at least 5 times as fast as one at a time, within 1.5 "
            "times of the bare network, p95 under 2 s at 70 % of the capacity."
        ),
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

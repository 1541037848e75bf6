"""Celery's door to tracing."""

from celery import shared_task
from django.db import OperationalError

from tutor.common import clock
from tutor.registry import queue as registry_queue
from tutor.registry import selectors as registry_selectors
from tutor.tracing import due, pruning, queue, selectors, sweep


@shared_task(name=queue.CATCH_UP, acks_late=True)
def catch_up(**_: object) -> int:
    """Do whatever is marked; return how many deep states were stored. What fails stays marked.

    All of it whatever the message was sent for, so that nothing waits behind messages of another
    kind. `**_` takes messages of newer code.
    """
    try:
        # First: the network predicts where the filter has come to the same place.
        sweep.refold_stale(at=clock.now())
    finally:
        # A class waits for this whatever became of that.
        stored = _advance_due()
    return stored


def _advance_due() -> int:
    due.try_again(now=clock.now())
    if not selectors.is_anybody_due():
        return 0
    # Loads torch: what a worker without a network in use need not hold.
    from tutor.tracing import working  # noqa: PLC0415

    return working.work_off()


@shared_task(name="tracing.prune_states", acks_late=True)
def prune_states(**_: object) -> int:
    """Remove deep states of versions that are long out of use; return how many."""
    return pruning.prune_states(now=clock.now())


@shared_task(name="tracing.give_awards", acks_late=True)
def give_awards(**_: object) -> int:
    """Give the awards that the log says and that are missing; return the steps given."""
    return sweep.give_awards(at=clock.now())


@shared_task(
    name=registry_queue.SWITCH,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
    acks_late=True,
)
def switch(**_: object) -> int:
    """Compare, use or leave tracer versions as was asked for; return how many jobs ended."""
    if not registry_selectors.list_open_switches().exists():
        return 0
    # Loads what folds: a worker without such work need not hold it.
    from tutor.tracing import switching  # noqa: PLC0415

    return switching.work(at=clock.now())

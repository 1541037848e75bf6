"""Whether the filter and the network, where they stand at the same answer, have seen as many."""

import datetime as dt

import pytest

from tests.factories import AT
from tutor.tracing import forward
from tutor.tracing.deep_reading import Behind, Place

MINUTE = dt.timedelta(minutes=1)


def place(response_id, n, *, minutes=0):
    return Place(AT + minutes * MINUTE, response_id, n)


def behind(live_place):
    return Behind(learner_id=1, packed=None, place=None, live=None, live_place=live_place)


@pytest.mark.parametrize(
    ("live", "is_consistent"),
    [
        # As many: predictions can be compared.
        (place(9, 5), True),
        # The filter lacks older answers, or the network does.
        (place(9, 3), False),
        (place(9, 6), False),
        # Behind or ahead by an answer: an ordinary moment, and nobody's fault.
        (place(8, 4), True),
        (place(10, 6), True),
        # No state of the filter, or one that waits for a refold.
        (None, True),
    ],
)
def test_is_asked_where_both_stand_at_the_same_answer(live, is_consistent):
    assert forward._is_consistent(behind(live), place(9, 5)) is is_consistent

"""Neither the id of an option nor its place on the page tells the key of the demo course."""

from collections import Counter

import pytest

from tests.tutor.content.demo_course.test_keys import ITEMS
from tutor.content.item_body import item_body
from tutor.content.rendered import RenderedItem
from tutor.content.templates import instantiate

SEEDS = 20
# Shares may be off by this many standard deviations of a fair draw.
BOUND = 4


@pytest.fixture(scope="module")
def shown() -> dict[str, list[RenderedItem]]:
    """Item slug -> the item as it is shown under some seeds.

    Every item has its own seeds: items without parameters are shuffled alike by the same one.
    """
    return {
        item.slug: [
            instantiate(item_body(item), seed=seed)
            for seed in range(number * SEEDS, (number + 1) * SEEDS)
        ]
        for number, item in enumerate(ITEMS)
        if item.kind in ("single_choice", "multiple_choice")
    }


def check_spread(places: Counter[tuple[int, int]]) -> None:
    """Check `places`, (options of the item, place of its right one) -> how often."""
    for size in {size for size, _ in places}:
        total = sum(places[size, place] for place in range(size))
        share = 1 / size
        slack = BOUND * (share * (1 - share) / total) ** 0.5
        for place in range(size):
            assert abs(places[size, place] / total - share) <= slack, (size, place, places)


def place_of_key(item: RenderedItem, ids: list[str]) -> tuple[int, int]:
    key = next(choice.id for choice in item.choices if choice.is_correct)
    return len(ids), ids.index(key)


def test_ids_are_unique_within_an_item_and_the_same_for_every_seed(shown):
    for slug, items in shown.items():
        ids = {frozenset(choice.id for choice in item.choices) for item in items}
        assert len(ids) == 1, slug
        assert all(len(next(iter(ids))) == len(item.choices) for item in items), slug
        keys = {frozenset(c.id for c in item.choices if c.is_correct) for item in items}
        assert len(keys) == 1, slug


def test_the_order_of_the_ids_does_not_tell_the_right_one(shown):
    singles = [items[0] for items in shown.values() if items[0].kind == "single_choice"]
    assert len(singles) >= 30

    check_spread(Counter(place_of_key(i, sorted(c.id for c in i.choices)) for i in singles))


def test_the_place_on_the_page_does_not_tell_the_right_one(shown):
    singles = [i for items in shown.values() for i in items if i.kind == "single_choice"]

    check_spread(Counter(place_of_key(i, [c.id for c in i.choices]) for i in singles))


def test_every_item_is_shuffled(shown):
    for slug, items in shown.items():
        assert len({tuple(choice.id for choice in item.choices) for item in items}) > 1, slug

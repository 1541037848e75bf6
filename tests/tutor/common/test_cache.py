"""The in-process cache."""

import pytest

from tutor.common.cache import KeyedCache, clear_all, new_cache


class TestKeyedCache:
    def test_makes_a_value_once(self):
        made = []
        cache = KeyedCache(capacity=2)

        for _ in range(3):
            cache.get("a", lambda: made.append(1))

        assert made == [1]

    def test_forgets_what_was_used_longest_ago(self):
        cache = KeyedCache(capacity=2)
        cache.get("a", lambda: 1)
        cache.get("b", lambda: 2)
        cache.get("a", lambda: 3)
        cache.get("c", lambda: 4)

        assert cache.get("a", lambda: 5) == 1
        assert cache.get("b", lambda: 6) == 6

    def test_keeps_nothing_of_a_failure(self):
        cache = KeyedCache(capacity=2)

        with pytest.raises(ZeroDivisionError):
            cache.get("a", lambda: 1 // 0)

        assert cache.get("a", lambda: 2) == 2


def test_clear_all_forgets_every_cache():
    first, second = new_cache(capacity=1), new_cache(capacity=1)
    first.get("a", lambda: 1)
    second.get("a", lambda: 1)

    clear_all()

    assert [first.get("a", lambda: 2), second.get("a", lambda: 2)] == [2, 2]

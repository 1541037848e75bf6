"""A small in-process cache for values that are immutable under their key."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class KeyedCache(Generic[Value]):
    """Keeps the most recently used values; safe between threads.

    Keys carry the revision of what they were made from, so nothing has to be thrown out by hand.
    """

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value under `key`, made by `make` where it is absent."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        # Made outside the lock: two threads may make it twice, none waits for a query.
        value = make()
        self.put(key, value)
        return value

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value that came along with another one."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._capacity:
                self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget everything (tests start each database anew)."""
        with self._lock:
            self._values.clear()


_ALL: list[KeyedCache[object]] = []


def new_cache(*, capacity: int) -> KeyedCache[Value]:
    """Return a cache that `clear_all` also clears."""
    cache: KeyedCache[Value] = KeyedCache(capacity=capacity)
    _ALL.append(cache)  # type: ignore[arg-type]
    return cache


def clear_all() -> None:
    """Forget every cached value in this process."""
    for cache in _ALL:
        cache.clear()

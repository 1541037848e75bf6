"""`make demo`, on an installation where the demo school stands already."""

import multiprocessing.process
import re
import time
import urllib.request

import pytest

from tests.servers.process import free_port
from tests.servers.test_servers import is_alive
from tests.tutor.config.test_server import Server, children, eventually
from tutor.config import demo as demo_program

pytestmark = pytest.mark.slow


@pytest.mark.journey
class TestDemo:
    @pytest.fixture
    def demo(self, demo_place):
        port = free_port()
        demo = Server(place=demo_place, port=port, module="tutor.config.demo")
        demo.url = f"http://localhost:{port}/"
        yield demo
        demo.end()

    def test_prints_address_and_sign_ins_once_it_can_be_opened(self, demo):
        assert demo.has_written("Ctrl-C stops it."), demo.output

        assert demo.url in demo.output
        for role in ("student", "teacher", "admin"):
            assert re.search(rf"^ *{role} +\S+ +\S", demo.output, re.MULTILINE)
        with urllib.request.urlopen(demo.url, timeout=10) as answer:
            assert answer.status == 200

    def test_ends_without_a_trace_while_it_prepares(self, demo):
        assert demo.has_written("Tables ...")

        started = children(demo.process.pid)
        demo.interrupt()

        assert demo.process.wait(120) in {0, 1}
        # Python's own tracker of resources ends when it sees that its parent has.
        assert eventually(lambda: not any(is_alive(pid) for pid in started)), demo.output
        assert "Traceback" not in demo.output


def hear_nothing(_):
    time.sleep(120)


def test_a_child_that_missed_the_interrupt_is_ended(monkeypatch):
    join, calls = multiprocessing.process.BaseProcess.join, []

    def interrupted_once(self, timeout=None):
        calls.append(timeout)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return join(self, timeout)

    monkeypatch.setattr(demo_program, "_prepare", hear_nothing)
    monkeypatch.setattr(demo_program, "ENDS_WITHIN_S", 0.5)
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "join", interrupted_once)

    assert demo_program._prepare_in_child() is None
    assert calls[0] is None
    assert calls[1] == 0.5

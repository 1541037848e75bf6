"""Nudges do not pile up, and nothing that is marked waits behind them."""

import threading
import time

import pytest
from celery import current_app

from tests.tutor.networks import give_network
from tests.tutor.tracing.test_deep import AT, answer
from tutor.common.broker import count_waiting
from tutor.tracing import queue, sweep, tasks
from tutor.tracing.models import DueLearner


@pytest.fixture(params=["files", "Redis", "RabbitMQ"])
def broker(request, tmp_path, monkeypatch, settings):
    """A channel of a broker that nobody takes from, which `current_app` sends to."""
    if request.param == "files":
        settings.BROKER_DIR = tmp_path
        url = "filesystem://"
    else:
        url = request.getfixturevalue(f"{request.param.lower()}_url")
    options = settings.RABBITMQ_OPTIONS if request.param == "RabbitMQ" else None
    with current_app.connection_for_write(url, transport_options=options) as connection:
        producer = connection.Producer(auto_declare=False)
        monkeypatch.setattr(
            current_app._get_current_object(),
            "producer_or_acquire",
            lambda *_, **__: _Lent(producer),
        )
        channel = connection.default_channel
        # A queue as Celery makes it; what waits in it from before goes.
        waiting(channel)
        channel.queue_purge(queue.QUEUE)
        yield channel
        channel.queue_purge(queue.QUEUE)


class _Lent:
    def __init__(self, producer):
        self.producer = producer

    def __enter__(self):
        return self.producer

    def __exit__(self, *_):
        return None


def waiting(channel):
    return count_waiting(channel, current_app.amqp.queues[queue.QUEUE])


class TestLength:
    def test_stays_with_every_worker_busy(self, broker):
        sent = [queue.send_unless_enough_wait() for _ in range(100)]

        assert sent == [True] * queue.ENOUGH_WAITING + [False] * 98
        assert waiting(broker) == queue.ENOUGH_WAITING

    def test_a_message_that_is_taken_makes_room(self, broker):
        while queue.send_unless_enough_wait():
            pass
        message = broker.basic_get(queue.QUEUE)
        broker.basic_ack(message.delivery_tag)

        assert queue.send_unless_enough_wait()
        assert waiting(broker) == queue.ENOUGH_WAITING

    def test_what_waits_too_long_is_passed_over(self, broker):
        queue.send_unless_enough_wait()

        headers = broker.basic_get(queue.QUEUE).headers
        assert headers["task"] == queue.CATCH_UP
        assert headers["expires"]


class TestNudger:
    def test_one_message_does_for_many_who_ask(self, monkeypatch):
        first, second, go_on = (threading.Event() for _ in range(3))
        sent = []

        def send():
            sent.append(1)
            (second if first.is_set() else first).set()
            go_on.wait(20)

        monkeypatch.setattr(queue, "send_unless_enough_wait", send)
        monkeypatch.setattr(queue, "_nudgers", [])
        queue.nudge()
        assert first.wait(20)
        for _ in range(50):
            queue.nudge()
        go_on.set()

        # The second is for those who asked after the first was on its way.
        assert second.wait(20)
        time.sleep(10 * queue.NUDGE_EVERY_S)
        assert len(sent) == 2

    def test_outlives_a_broker_that_is_down(self, monkeypatch, caplog):
        sent, done = [], threading.Event()

        def send():
            sent.append(1)
            if len(sent) < 3:
                raise ConnectionRefusedError
            done.set()

        monkeypatch.setattr(queue, "send_unless_enough_wait", send)
        monkeypatch.setattr(queue, "DOWN_S", 0.01)
        monkeypatch.setattr(queue, "_nudgers", [])
        for _ in range(1000):
            queue.nudge()
            if done.wait(0.02):
                break

        assert done.is_set()
        # Said once, not for every answer.
        assert caplog.text.count("No broker") == 1


class TestUnderLoad:
    """Answers of several web processes come in faster than one worker passes them."""

    SENDERS, SECONDS, TURN_S = 4, 1.5, 0.25

    def test_the_queue_stays_short_and_late_answers_are_folded(self, redis_url, monkeypatch):
        own, lengths, refolded, asked = threading.local(), [], [], []
        monkeypatch.setattr(
            current_app._get_current_object(),
            "producer_or_acquire",
            lambda *_, **__: _Lent(own.producer),
        )
        monkeypatch.setattr(sweep, "refold_stale", lambda *, at: refolded.append(at))
        monkeypatch.setattr(tasks, "_advance_due", lambda: time.sleep(self.TURN_S))
        until = time.monotonic() + self.SECONDS

        def ask():
            with current_app.connection_for_write(redis_url) as connection:
                own.producer = connection.Producer(auto_declare=False)
                while time.monotonic() < until:
                    asked.append(queue.send_unless_enough_wait())
                    time.sleep(0.002)

        senders = [threading.Thread(target=ask) for _ in range(self.SENDERS)]
        with current_app.connection_for_write(redis_url) as connection:
            channel = connection.default_channel
            waiting(channel)
            channel.queue_purge(queue.QUEUE)
            for sender in senders:
                sender.start()
            taken = 0
            while time.monotonic() < until:
                lengths.append(waiting(channel))
                message = channel.basic_get(queue.QUEUE)
                if message is not None:
                    taken += 1
                    tasks.catch_up()
                    message.ack()
            for sender in senders:
                sender.join(20)
            lengths.append(waiting(channel))
            channel.queue_purge(queue.QUEUE)

        assert len(asked) > 10 * taken > 0
        # Each process may send one while the others do.
        assert max(lengths) <= queue.ENOUGH_WAITING + self.SENDERS
        # As often as a worker comes to a message at all.
        assert len(refolded) == taken


@pytest.mark.django_db
class TestWhateverIsTaken:
    def test_does_all_that_is_marked(self, course, learner, monkeypatch):
        give_network(course)
        refolded = []
        monkeypatch.setattr(sweep, "refold_stale", lambda *, at: refolded.append(at))
        answer(learner, course, at=AT)

        assert tasks.catch_up() == 1
        assert len(refolded) == 1
        assert not DueLearner.objects.exists()

    def test_a_refold_that_fails_holds_up_no_pass(self, course, learner, monkeypatch):
        def broken(*, at):
            raise ValueError(at)

        give_network(course)
        monkeypatch.setattr(sweep, "refold_stale", broken)
        answer(learner, course, at=AT)

        with pytest.raises(ValueError, match=r"."):
            tasks.catch_up()
        assert not DueLearner.objects.exists()

"""The broker made of files."""

from pathlib import Path

import pytest
from kombu import Connection, Queue

from tests.servers.test_servers import send, wait_for
from tests.servers.worker import celery_worker
from tutor.config import file_broker
from tutor.config.celery import app  # registers our transport

QUEUE = app.amqp.queues["celery"]


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.BROKER_DIR = tmp_path / "broker"
    # Kombu remembers for the whole process which queues it has bound in the folder before.
    file_broker.Transport.global_state.clear()
    return settings.BROKER_DIR


@pytest.fixture
def connection(folder):
    with Connection("filesystem://") as connection:
        yield connection


def put(connection: Connection, body: str) -> None:
    with connection.Producer() as producer:
        producer.publish(body, routing_key="celery", exchange=QUEUE.exchange, declare=[queue()])


def take(connection: Connection):
    """Return the next message, not acknowledged, or None."""
    return queue()(connection.default_channel).get()


def queue() -> Queue:
    return Queue("celery", exchange=QUEUE.exchange, routing_key="celery")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.msg"))


class TestTake:
    def test_gives_messages_in_the_order_they_were_put(self, connection):
        for body in ("first", "second", "third"):
            put(connection, body)

        assert [take(connection).payload for _ in range(3)] == ["first", "second", "third"]
        assert take(connection) is None

    def test_passes_over_a_message_that_cannot_be_read(self, connection, folder):
        put(connection, "first")
        (folder / names(folder)[0]).write_text("{half")
        put(connection, "second")

        assert take(connection).payload == "second"
        assert len(names(folder / "dead")) == 1

    def test_does_not_see_a_message_that_is_still_being_written(self, connection, folder):
        put(connection, "whole")
        (folder / names(folder)[0]).rename(folder / "writing" / names(folder)[0])

        assert take(connection) is None


class TestAcknowledge:
    def test_keeps_the_file_until_the_task_is_done(self, connection, folder):
        put(connection, "work")
        message = take(connection)
        assert (len(names(folder)), len(names(folder / "taken"))) == (0, 1)

        message.ack()

        assert list(folder.rglob("*.msg")) == []

    def test_puts_a_message_back_that_is_given_back(self, connection, folder):
        put(connection, "work")

        take(connection).requeue()

        assert names(folder / "taken") == []
        assert take(connection).payload == "work"

    def test_drops_a_message_that_is_rejected(self, connection, folder):
        put(connection, "work")

        take(connection).reject()

        assert list(folder.rglob("*.msg")) == []


class TestRestore:
    def test_returns_what_a_killed_worker_had_taken(self, connection, folder):
        put(connection, "work")
        take(connection)

        assert file_broker.restore() == 1
        assert take(connection).payload == "work"

    def test_puts_a_message_aside_that_has_ended_three_workers(self, connection, folder):
        put(connection, "poison")
        for _ in range(file_broker.MAX_DELIVERIES - 1):
            take(connection)
            assert file_broker.restore() == 1
        take(connection)

        assert file_broker.restore() == 0
        assert len(names(folder / "dead")) == 1
        assert take(connection) is None

    def test_is_done_by_a_worker_that_starts(self, var, tmp_path):
        environment = {"TUTOR_VAR": str(var), "TUTOR_BROKER_URL": "filesystem://"}
        note = tmp_path / "note"
        with celery_worker(environment=environment, folder=tmp_path) as worker:
            send("tests.die_once", str(note), environment=environment)
            wait_for(Path(f"{note}.died"), "")
            worker.stop()
        assert not note.exists()
        with celery_worker(environment=environment, folder=tmp_path):
            wait_for(note, "survived")

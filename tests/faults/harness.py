"""Runs the tutor's real parts, lets learners answer, kills the parts, and looks what is left.

PostgreSQL, Redis, a worker and the beat are processes; so are the clients. Faults come one after
the other as long as the clients answer.
"""

import contextlib
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis

from tests.servers.postgres import postgres_server
from tests.servers.process import ROOT, Process, free_port
from tests.servers.redis_server import redis_server
from tests.servers.site import Places, migrated

# Kinds of faults in a round.
KINDS = 5
APP = "tests.faults.worker_app"
PREPARE = """
from tests.factories import make_class, make_learner, make_organisation
from tests.tutor.networks import give_network
from tutor.content import course_format
from tutor.demo.seeding import COURSE_FOLDER
from tests.factories import AT
from tutor.content import services as content_services
from tutor.tracing import services as tracing_services
organisation = make_organisation()
spec = course_format.read_course(COURSE_FOLDER, seeds=1)
course = content_services.load_course(organisation=organisation, spec=spec).course
tracing_services.give_prior_tracer(course=course, at=AT)
learners = [make_learner(organisation=organisation) for _ in range({learners})]
make_class(course=course, users=[learner.user for learner in learners])
give_network(course)
"""
# What an overfull disk says, from the database itself.
DISK_FULL = """
CREATE TABLE disk_full ();
CREATE FUNCTION fail_if_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE relname = 'disk_is_full') THEN
        RAISE EXCEPTION 'could not extend file: no space left' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON tracing_deepstate
FOR EACH ROW EXECUTE FUNCTION fail_if_full();
"""


@dataclasses.dataclass
class Found:
    """What was left after the faults and quiet.

    Attributes:
        acknowledged: answers of which a client was told that they are stored.
        lost: of those, how many are not in the log.
        double: answers that are in the log more than once, or that nobody was told of.
        faults: by kind, how often.
        seconds: that the clients took.
        quiet_s: from the last answer until nobody was due.
        most_waiting: messages in the queue of the passes, right after some fault.
        left_aside: learners in quarantine.
        report: what `rebuild_states --check` said.
        is_same: whether every state is what the log gives.
    """

    acknowledged: int
    lost: int
    double: int
    faults: dict[str, int]
    seconds: float
    quiet_s: float
    most_waiting: int
    left_aside: int
    report: str
    is_same: bool


class Installation:
    """The parts and the ways to break them."""

    def __init__(self, *, folder: Path, postgres_url: str, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.place = None
        self.postgres_url = postgres_url
        self.redis_port = free_port()
        self.redis = contextlib.ExitStack()
        self.workers: list[Process] = []
        self.numbers = itertools.count(1)

    def prepare(self, *, learners: int, workers: int) -> None:
        self.redis.enter_context(redis_server(port=self.redis_port))
        self.stack.callback(self.redis.close)
        places = Places(folder=self.folder, postgres_url=self.postgres_url)
        code = PREPARE.format(learners=learners)
        self.place = places.make(*migrated(("shell", "-v0", "-c", code)))
        self.execute(DISK_FULL)
        for _ in range(workers):
            self.start_worker()
        self.stack.callback(self.stop_workers)
        beat = Process(
            [
                *(sys.executable, "-W", "ignore", "-m", "celery", "--app", APP, "beat"),
                *("--schedule", str(self.place.var / "beat"), "--pidfile="),
            ],
            log=self.folder / "beat.log",
            environment=self.environment,
        )
        self.stack.callback(beat.stop)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.place.environment,
            "TUTOR_BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "TUTOR_DEEP_CLAIM_S": "4",
        }

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.stop()

    def start_worker(self) -> None:
        number = next(self.numbers)
        worker = Process(
            [
                *(sys.executable, "-W", "ignore", "-m", "celery", "--app", APP, "worker"),
                *("--pool=solo", "--loglevel=WARNING", "--without-gossip", "--without-mingle"),
                *("--hostname", f"worker-{number}@%h"),
            ],
            log=self.folder / f"worker-{number}.log",
            environment=self.environment,
        )
        self.workers.append(worker)

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.place.postgres_url, autocommit=True) as connection:
            connection.execute(sql)

    def kill_worker(self) -> None:
        """Kill the oldest worker once something was done: to load its network takes seconds."""
        before = self.predictions()
        with contextlib.suppress(AssertionError):
            until(lambda: self.predictions() > before, timeout_s=15)
        self.workers.pop(0).kill()
        self.start_worker()

    def predictions(self) -> int:
        with contextlib.suppress(psycopg.OperationalError):
            [(count,)] = self.place.query("SELECT count(*) FROM tracing_deepprediction")
            return count
        return 0

    def flush_redis(self) -> None:
        """Redis dies with all that it held and comes back empty."""
        self.redis.close()
        time.sleep(0.5)
        self.redis.enter_context(redis_server(port=self.redis_port))

    def crash_postgres(self) -> None:
        """Kill one of PostgreSQL's own processes: it drops everybody and recovers from its log."""
        [(pid,)] = self.place.query(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        )
        os.kill(pid, signal.SIGKILL)
        until(self._database_answers, timeout_s=180)

    def _database_answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return self.place.query("SELECT 1") == [(1,)]
        return False

    def step_clock(self) -> None:
        """Set the worker's clock back by an hour, and forward again."""
        offset = self.place.var / "clock-offset"
        offset.write_text("-3600")
        time.sleep(2)
        offset.write_text("0")

    def fill_disk(self) -> None:
        """For two seconds no state can be stored."""
        self.execute("CREATE TABLE disk_is_full ()")
        time.sleep(2)
        self.execute("DROP TABLE disk_is_full")

    def faults(self) -> tuple[Callable[[], None], ...]:
        """Return one round: workers die between whatever else happens."""
        return (
            *(self.kill_worker, self.crash_postgres, self.flush_redis),
            *(self.kill_worker, self.fill_disk, self.step_clock),
        )

    def messages(self) -> int:
        """Return how many messages wait for a pass; 0 while Redis is away."""
        with contextlib.suppress(redis.RedisError), redis.Redis(port=self.redis_port) as client:
            return client.llen("tracing")
        return 0

    def due(self) -> int:
        [(count,)] = self.place.query(
            "SELECT count(*) FROM tracing_duelearner WHERE quarantined_at IS NULL"
        )
        return count


def until(is_true: Callable[[], bool], *, timeout_s: float) -> float:
    """Wait for something and return the seconds it took."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < timeout_s, "it did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - began


def run(
    *,
    folder: Path,
    answers: int,
    learners: int,
    threads: int,
    every_s: float,
    quiet_s: float,
    workers: int = 1,
) -> Found:
    """Let learners answer while the parts are killed in turn; return what was left.

    Args:
        folder: for everything.
        answers: at least; and every fault comes at least once.
        learners: who answer.
        threads: of the clients.
        every_s: from one fault to the next.
        quiet_s: afterwards, at most, until nobody is due any more.
        workers: at once; they contend for the same learners.
    """
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres_server(keeps_commits=True))
        own = Installation(folder=folder, postgres_url=url, stack=stack)
        own.prepare(learners=learners, workers=workers)
        acknowledged, enough = folder / "acknowledged", folder / "enough"
        faults: Counter[str] = Counter()
        most_waiting = 0
        began = time.monotonic()
        with _clients(own, threads, acknowledged, enough) as clients:
            for fault in itertools.cycle(own.faults()):
                time.sleep(every_s)
                fault()
                faults[fault.__name__] += 1
                most_waiting = max(most_waiting, own.messages())
                if len(faults) == KINDS and _count(acknowledged) >= answers:
                    break
                assert clients.poll() is None, (folder / "clients.log").read_text()[-4000:]
            enough.touch()
            clients.wait(300)
        seconds = time.monotonic() - began
        assert clients.returncode == 0, (folder / "clients.log").read_text()[-4000:]
        quiet = until(lambda: own.due() == 0, timeout_s=quiet_s)
        found = _look(own, acknowledged, dict(faults), seconds, quiet)
        return dataclasses.replace(found, most_waiting=most_waiting)


def _count(acknowledged: Path) -> int:
    return len(acknowledged.read_text().split()) if acknowledged.exists() else 0


@contextlib.contextmanager
def _clients(
    own: Installation, threads: int, acknowledged: Path, enough: Path
) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "tests.faults.clients", str(threads)]
    with (own.folder / "clients.log").open("w") as log:
        process = subprocess.Popen(
            [*command, str(acknowledged), str(enough)],
            cwd=ROOT,
            env={**os.environ, **own.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _look(
    own: Installation, acknowledged: Path, faults: dict[str, int], seconds: float, quiet: float
) -> Found:
    told = acknowledged.read_text().split()
    stored = [str(key) for (key,) in own.place.query("SELECT client_key FROM responses_response")]
    [(left_aside,)] = own.place.query(
        "SELECT count(*) FROM tracing_duelearner WHERE quarantined_at IS NOT NULL"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "rebuild_states", "--check"],
        check=False,
        cwd=ROOT,
        env={**os.environ, **own.environment},
        capture_output=True,
        text=True,
    )
    return Found(
        acknowledged=len(told),
        lost=len(set(told) - set(stored)),
        double=len(stored) - len(set(stored)) + len(set(stored) - set(told)),
        faults=faults,
        seconds=seconds,
        quiet_s=quiet,
        most_waiting=0,
        left_aside=left_aside,
        report=done.stdout + done.stderr,
        is_same=done.returncode == 0,
    )

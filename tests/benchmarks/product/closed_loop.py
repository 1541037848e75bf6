"""Clients in a closed loop: each sends its next request as soon as it has the answer to the last.

`python -m tests.benchmarks.product.closed_loop PLAN`: a process with some of the clients; PLAN is a
JSON file. Writes milliseconds of every request to standard output as JSON.
"""

import concurrent.futures
import http.client
import json
import sys
import time
import uuid
from pathlib import Path


class Client:
    """A keep-alive connection and the learners it answers for."""

    def __init__(self, plan, learners):
        self.plan, self.learners = plan, learners
        self.connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=60)
        self.headers = {"Content-Type": "application/json"}
        if plan.get("token"):
            self.headers["Authorization"] = f"Token {plan['token']}"
        self.waiting = {}
        self.took = []

    def ask(self, path, body):
        self.connection.request("POST", path, json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        raw = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {raw[:500]!r}")
        return json.loads(raw)

    def begin(self):
        """Open every learner's session: not measured."""
        for learner in self.learners:
            session = self.ask(
                f"/api/v1/learners/{learner}/sessions", {"assignment": self.plan["assignment"]}
            )
            self.waiting[learner] = session["next"]["presentation"]

    def answer(self, learner, number):
        body = {
            "presentation": self.waiting[learner],
            "client_key": str(uuid.uuid4()),
            "answer": {"right": number % 3 != 0},
        }
        began = time.perf_counter()
        document = self.ask(f"/api/v1/learners/{learner}/answers", body)
        self.took.append(1000 * (time.perf_counter() - began))
        self.waiting[learner] = document["session"]["next"]["presentation"]

    def bare(self, learner, _):
        began = time.perf_counter()
        self.ask("/bare", {"learner": learner})
        self.took.append(1000 * (time.perf_counter() - began))

    def run(self, until):
        act = self.bare if self.plan["kind"] == "bare" else self.answer
        # The server lets go of connections that were idle since the last phase.
        self.connection.close()
        number = 0
        while time.time() < until:
            act(self.learners[number % len(self.learners)], number)
            number += 1


def main():
    plan = json.loads(Path(sys.argv[1]).read_text())
    clients = [
        Client(plan, plan["learners"][place :: plan["clients"]]) for place in range(plan["clients"])
    ]
    if plan["kind"] != "bare":
        each(clients, Client.begin)
    print("ready", flush=True)
    start = float(sys.stdin.readline())
    time.sleep(max(0.0, start - time.time()))
    each(clients, lambda client: client.run(start + plan["warm_up_s"]))
    for client in clients:
        client.took.clear()
    began = time.time()
    each(clients, lambda client: client.run(began + plan["seconds"]))
    print(json.dumps({"took": [ms for client in clients for ms in client.took]}), flush=True)


def each(clients, act):
    """Do it as every client at once; an error of one of them is raised, for nothing counts then."""
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        for done in [pool.submit(act, client) for client in clients]:
            done.result()


if __name__ == "__main__":
    main()

"""Tells a container's runtime whether the service in it works: exit code 0, or 1 with a reason.

`python health.py web | worker | beat`, in the place and with the variables of the service. Loads
nothing but the standard library, so that asking costs little.

- web: a page comes back that has asked the database.
- worker: its watchdog has written lately that it hears its broker or is at a task within its time.
- beat: it has written its schedule lately, which it does after some messages were sent.
"""

import argparse
import http.client
import json
import os
import sys
import time
from pathlib import Path

PATH = "/api/v1/health"
# The watchdog writes every 5 s, unless it waits for a broker that does not answer.
WORKER_SILENT_AFTER_S = 120.0
# The beat writes every half minute.
BEAT_SILENT_AFTER_S = 180.0


def web(port: int = 8000) -> str | None:
    """Return what is wrong with the web server on a port of this machine, None if nothing is."""
    host = os.environ.get("TUTOR_ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    headers = {
        "Host": "localhost" if host == "*" else host.lstrip("."),
        # As the proxy would: a request without it is only sent to HTTPS.
        "X-Forwarded-Proto": "https",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", PATH, headers=headers)
        answer = connection.getresponse()
        told = answer.read(500).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"The web server does not answer: {error}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{PATH} answered {answer.status}: {told}"


def worker() -> str | None:
    """Return what is wrong with the worker, None if nothing is."""
    path = os.environ.get("TUTOR_HEALTH_FILE")
    if not path:
        return "TUTOR_HEALTH_FILE is not set: the worker writes nowhere how it is."
    try:
        age_s = time.time() - Path(path).stat().st_mtime
        told = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        return f"The worker has not written how it is: {error}"
    if age_s > WORKER_SILENT_AFTER_S:
        return f"The worker last wrote {age_s:.0f} s ago how it is: {told['state']}."
    return None if told["state"] in {"idle", "busy"} else f"{told['state']}: {told['reason']}"


def beat() -> str | None:
    """Return what is wrong with the beat, None if nothing is."""
    folder = Path(os.environ.get("TUTOR_VAR", "var"))
    written = [one.stat().st_mtime for one in folder.glob("beat-schedule*")]
    if not written:
        return f"The beat has written no schedule in {folder}."
    age_s = time.time() - max(written)
    if age_s <= BEAT_SILENT_AFTER_S:
        return None
    return f"The beat wrote its schedule {age_s:.0f} s ago: it sends nothing."


def main() -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["web", "worker", "beat"])
    parser.add_argument("--port", type=int, default=8000, help="of the web server")
    arguments = parser.parse_args()
    if arguments.what == "web":
        problem = web(arguments.port)
    else:
        problem = {"worker": worker, "beat": beat}[arguments.what]()
    if problem is not None:
        print(problem, file=sys.stderr)
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())

"""The tutor's Celery application with tasks that leave a trace in a file.

`python -m tests.servers.probe_task NAME PATH [TEXT]` sends one, as the web process would: by name.
"""

import os
import sys
from pathlib import Path

from tutor.config.celery import app


@app.task(name="tests.note")
def note(*, path: str, text: str) -> None:
    """Append a line to a file."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@app.task(name="tests.die_once")
def die_once(*, path: str) -> None:
    """End the worker without a word the first time, leave a note the second time."""
    if Path(f"{path}.died").exists():
        note(path=path, text="survived")
        return
    Path(f"{path}.died").touch()
    os._exit(9)


if __name__ == "__main__":
    name, path, *texts = sys.argv[1:]
    arguments = {"path": path} | dict(zip(["text"], texts, strict=False))
    app.send_task(name, kwargs=arguments)

"""Runs one server and ends it when whoever started it is gone, however that happened.

    python -m tests.servers.guard [OPTION ...] -- COMMAND ...

The starter holds the other end of standard input. When it closes it, or dies, the guard ends the
command with the signal, after ten seconds with SIGKILL, and removes the folder. So neither Ctrl-C
nor `kill -9` of the tests leaves a server or its data behind.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("--user")
    parser.add_argument("--remove")
    parser.add_argument("--pid-file")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    # The guard acts on the end of its input only.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        user=options.user,
        group=options.user,
        extra_groups=None if options.user is None else [],
        start_new_session=True,
    )
    if options.pid_file is not None:
        Path(options.pid_file).write_text(str(server.pid))
    threading.Thread(
        target=end_with_input, args=(server, f"SIG{options.signal}"), daemon=True
    ).start()
    code = server.wait()
    if options.remove is not None:
        shutil.rmtree(options.remove, ignore_errors=True)
    return code if code >= 0 else 128 - code


def end_with_input(server: subprocess.Popen, name: str) -> None:
    while os.read(0, 1024):
        pass
    server.send_signal(signal.Signals[name])
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())

"""Tells whether the tutor can listen on a port.

Standard library only: `make demo` runs this file before anything is installed.
"""

import argparse
import errno
import socket
import sys

_REASONS = {
    errno.EADDRINUSE: "Port {port} is in use by another program. "
    "Choose another one: make demo PORT={other}",
    errno.EACCES: "Port {port} may only be opened by root. "
    "Choose one above 1023: make demo PORT={other}",
    errno.EADDRNOTAVAIL: "This machine has no address {host}. "
    "Leave HOST out or give one of its own.",
}


def why_not(*, host: str, port: int) -> str | None:
    """Return one line that says why `host:port` cannot be listened on, or None where it can."""
    if not 1 <= port <= 65535:
        return f"{port} is no port: give a number from 1 to 65535, for example make demo PORT=8000"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server will do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            # Two sockets may bind the same port, only one may listen.
            probe.listen(1)
        except OSError as error:
            other = port + 1 if 1024 <= port < 65535 else 8000
            reason = _REASONS.get(error.errno or 0, "Port {port} cannot be opened: {error}")
            return reason.format(host=host, port=port, other=other, error=error)
    return None


def main() -> int:
    """Check the port given on the command line; 1 and a line on standard error if it is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    reason = why_not(host=arguments.host, port=arguments.port)
    if reason is not None:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whether a TCP port is free on this machine. Nothing but the standard library: it also runs as a program elsewhere."""

import errno
import socket
import sys

TAKEN = 98
"""The program's exit status where something listens on the port."""


def is_free(address: str, port: int) -> bool:
    """Whether nothing listens on `address` and `port`; where Docker publishes on all addresses, on none of them."""
    everywhere = address == "0.0.0.0"  # noqa: S104 -- bound only to look whether it is taken
    return all(_can_bind(one, port) for one in ((address, "::") if everywhere else (address,)))


def _can_bind(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind((address, port))
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # no such address or no IPv6: Docker's to judge
    return True


if __name__ == "__main__":
    sys.exit(0 if is_free(sys.argv[1], int(sys.argv[2])) else TAKEN)

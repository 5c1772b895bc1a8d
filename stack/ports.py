"""Which ports to take: the usual ones, others when taken, and proof that it is our child that listens."""

import socket

import psutil

HOST = "127.0.0.1"
"""The embedded stack has no passwords: it never listens beyond this machine."""
_CONNECT_TIMEOUT_S = 1.0
"""On this machine it is taken or refused at once, unless the backlog of a busy server is full."""


def choose_port(usual: int) -> int:
    """`usual` if nobody listens there, else a port the system finds free.

    Another program may still take it before our child does; the supervisor then asks again.
    """
    for port in (usual, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no listener
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on this machine")


def listens(pid: int, ports: tuple[int, ...]) -> bool:
    """Whether process `pid` itself listens on every one of `ports`: a stranger's server there is not readiness."""
    if not all(map(_is_taken, ports)):  # a hundredth of what it costs to ask whose they are
        return False
    try:
        open_sockets = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    listening = {found.laddr.port for found in open_sockets if found.status == psutil.CONN_LISTEN}
    return listening.issuperset(ports)


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_TIMEOUT_S)
        return probe.connect_ex((HOST, port)) == 0

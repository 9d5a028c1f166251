"""One `tandem up` for each home: its lock, and how other commands find what it started."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr, ValidationError

from runtime.errors import CannotStart
from runtime.settings import Settings


class Running(BaseModel):
    """What runs from a home, and where it answers."""

    pid: int
    url: str
    database_url: str
    temporal_address: str
    temporal_ui_url: str | None = None


@contextlib.contextmanager
def hold(home: Path) -> Iterator[None]:
    """Keep the home for this process while the block lasts.

    The kernel gives the lock back when the process ends, however it ends: there
    are no stale locks.

    Raises:
        CannotStart: another process keeps it.
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(home) from None
        _forget(home)
        yield
        _forget(home)
    finally:
        os.close(descriptor)


def publish(home: Path, running: Running) -> None:
    """Tell other commands where things are; readable by the owner alone."""
    note = home / "running.json"
    descriptor = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(running.model_dump_json(indent=2))


def find(home: Path) -> Running | None:
    """What runs from this home now; None where nothing does."""
    try:
        running = Running.model_validate_json((home / "running.json").read_text())
    except (OSError, ValidationError):
        return None
    return running if _held(home) else None


def located(settings: Settings) -> Settings:
    """The settings with the addresses of what `tandem up` started, where they name no servers.

    Raises:
        CannotStart: a server is named nowhere and nothing runs.
    """
    if settings.database_url and settings.temporal_address:
        return settings
    running = find(settings.home)
    if running is None:
        unset = "TANDEM_DATABASE_URL" if not settings.database_url else "TANDEM_TEMPORAL_ADDRESS"
        raise CannotStart(
            f"Tandem does not run from {settings.home.resolve()}: start it with `tandem up`, or set {unset}."
        )
    found = {
        "database_url": settings.database_url or running.database_url,
        "temporal_address": settings.temporal_address or running.temporal_address,
    }
    return settings.model_copy(update=found)


def demo_password(settings: Settings) -> str:
    """The password of the demo people: the one that was set, or one made once for this home."""
    if settings.demo_password is not None:
        return settings.demo_password.get_secret_value()
    return _kept(settings.home / "demo-password", secrets.token_urlsafe(9))


def secret_key(settings: Settings) -> str:
    """What links in mails are signed with: the key that was set, or one made once for this home.

    Raises:
        CannotStart: none is set, and the home takes none.
    """
    return _secret(settings.home, settings.secret_key, "secret_key", secrets.token_urlsafe(32), "links")


def webhook_secret(settings: Settings) -> str:
    """What calls of programs elsewhere are signed with: the secret that was set, or one made for this home.

    Raises:
        CannotStart: none is set, and the home takes none.
    """
    made = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return _secret(settings.home, settings.webhook_secret, "webhook_secret", made, "webhooks")


def _secret(home: Path, given: SecretStr | None, name: str, made: str, what: str) -> str:
    if given is not None:
        return given.get_secret_value()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _kept(home / name.replace("_", "-"), made)
    except OSError as error:
        raise CannotStart(
            f"No key to sign {what} with can be kept in {home.resolve()} ({error.strerror}): "
            f"set TANDEM_{name.upper()}."
        ) from error


def _kept(file: Path, made: str) -> str:
    """The secret in a file that its owner alone can read; `made`, where there is none yet.

    It is written elsewhere first and then linked into place: two processes that start
    at once take the same one, and none of them ever reads half of it.
    """
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as written:
            written.write(made)
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text().strip()


def _taken(home: Path) -> CannotStart:
    try:
        running = Running.model_validate_json((home / "running.json").read_text())
        where = f" (process {running.pid}, {running.url})"
    except (OSError, ValidationError):
        where = ""
    return CannotStart(
        f"Tandem runs from {home} already{where}: "
        "stop it there with Ctrl-C, or set TANDEM_HOME to another folder."
    )


def _forget(home: Path) -> None:
    (home / "running.json").unlink(missing_ok=True)


def _held(home: Path) -> bool:
    try:
        descriptor = os.open(home / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

"""What keeps Tandem from starting, each time as a sentence with what to do."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from domain.errors import TandemError

ROOM_NEEDED = 200 * 1024 * 1024
"""Bytes that have to be free where the state is kept, before the servers start."""


class CannotStart(TandemError, code="cannot_start", status=503, title="Tandem cannot start"):
    """Something on this machine is in the way; the sentence says what to do."""


def disk_full(folder: Path) -> CannotStart:
    return CannotStart(
        f"The disk that holds {folder} is full: free at least "
        f"{ROOM_NEEDED // 1024 // 1024} MB, or set TANDEM_HOME to a folder on another disk."
    )


def make_folder(folder: Path) -> Path:
    """Make a folder for our state that nobody else can read; answer its absolute path, or say why not.

    Raises:
        CannotStart: the place is not writable, is no folder, or its disk is full.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(folder).free < ROOM_NEEDED:
            raise disk_full(folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(folder) from error
        raise CannotStart(
            f"Tandem cannot keep its state in {folder} ({error.strerror}): "
            "set TANDEM_HOME to a folder that you may write to."
        ) from error
    return folder

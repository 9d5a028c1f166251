"""Event logs of approvals: small ones of our own making, and the public one where it is at hand."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("TANDEM_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
PUBLIC = SHARED / "approvals-log" / "DomesticDeclarations.csv.gz"
with_public = pytest.mark.skipif(not PUBLIC.is_file(), reason="no public log here; a sample of ours is tried")

CASE, ACTIVITY, TIME = "case:concept:name", "concept:name", "time:timestamp"
MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

ASKED = "SUBMITTED by EMPLOYEE"
DESK = "APPROVED by ADMINISTRATION"
OWNER = "APPROVED by BUDGET OWNER"
BOSS = "FINAL_APPROVED by SUPERVISOR"
NOT_DESK = "REJECTED by ADMINISTRATION"
NOT_BOSS = "REJECTED by SUPERVISOR"
TAKEN = "REJECTED by EMPLOYEE"
UNDONE = "REJECTED by MISSING"

USUAL: Mapping[str, Sequence[str]] = {
    "short": (ASKED, DESK, BOSS),
    "owner": (ASKED, DESK, OWNER, BOSS),
    "straight": (ASKED, BOSS),
    "again": (ASKED, NOT_DESK, TAKEN, ASKED, DESK, BOSS),
    "late": (ASKED, DESK, NOT_BOSS, TAKEN, ASKED, DESK, OWNER, BOSS),
}
"""Cases from which a log's process can be learned."""


def rows(cases: Mapping[str, Sequence[str]], document: str = "Claim") -> list[dict[str, str]]:
    """Events a day apart, of this document where none is named (`Permit: SAVED by X`)."""
    return [
        {
            CASE: case,
            ACTIVITY: _activity(said, document),
            TIME: (MONDAY + timedelta(days=day)).isoformat(),
            "org:role": said.rpartition(" by ")[2],
        }
        for case, events in cases.items()
        for day, said in enumerate(events)
    ]


def _activity(said: str, document: str) -> str:
    if ": " in said:
        return said.replace(": ", " ", 1)
    return f"{document} {said}" if " by " in said else said


def text(events: Iterable[Mapping[str, str]], *, delimiter: str = ",", lineterminator: str = "\n") -> str:
    """The events as CSV."""
    found = list(events)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]), delimiter=delimiter, lineterminator=lineterminator)
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def write(folder: Path, cases: Mapping[str, Sequence[str]], document: str = "Claim") -> Path:
    """A log with these cases."""
    path = folder / "log.csv"
    path.write_text(text(rows(cases, document)))
    return path

"""What a log says: who did what to which document, and how that ended.

Nothing here knows of Tandem's approval, so that what is read can be compared with it.
The words are those of the BPI Challenge 2020 logs: `<document> <ACT> by <ROLE>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

SAVED = "SAVED"
SUBMITTED = "SUBMITTED"
APPROVED = "APPROVED"
FINAL_APPROVED = "FINAL_APPROVED"
REJECTED = "REJECTED"
FOR_APPROVAL = "FOR_APPROVAL"

VERDICTS = frozenset({APPROVED, FINAL_APPROVED, REJECTED})
"""What is said of a document that was submitted."""

SYSTEM_ROLES = frozenset({"MISSING", "UNDEFINED", "SYSTEM"})
"""Nobody: what they do happens by itself, such as a rollback."""

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_ACTIVITY = re.compile(r"(?:(?P<document>\S.*?)\s+)?(?P<act>[A-Z]+(?:_[A-Z]+)*)\s+by\s+(?P<role>\S.*)")


@dataclass(frozen=True, slots=True)
class Said:
    """One activity of an approval, taken apart. The role in capitals, with spaces."""

    document: str
    act: str
    role: str


@dataclass(frozen=True, slots=True)
class LogEvent:
    """Something that happened to one document of a case. `at` is in UTC; `line` counts the file's lines."""

    document: str
    act: str
    role: str
    at: datetime
    line: int


History = tuple[LogEvent, ...]
"""What happened to one document of one case, in the order of time."""


def parse_activity(name: str) -> Said | None:
    """The parts of `Declaration REJECTED by BUDGET OWNER`; None for what is not an approval's activity."""
    match = _ACTIVITY.fullmatch(name.strip())
    if match is None:
        return None
    role = " ".join(match["role"].replace("_", " ").upper().split())
    return Said(document=match["document"] or "Document", act=match["act"], role=role)


def parse_instant(text: str) -> datetime:
    """An instant as logs write it: ISO 8601, with slashes or without a zone (then it is UTC).

    Raises:
        ValueError: it is no instant, or none of these times.
    """
    instant = datetime.fromisoformat(text.strip().replace("/", "-"))
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        msg = f"the year {instant.year} is not of these times"
        raise ValueError(msg)
    return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def histories(events: Iterable[LogEvent]) -> dict[str, History]:
    """The events of one case by document, by time; those of one instant as they were given."""
    found: dict[str, list[LogEvent]] = {}
    for event in sorted(events, key=lambda each: each.at):
        found.setdefault(event.document, []).append(event)
    return {document: tuple(each) for document, each in found.items()}


def was_submitted(history: History) -> bool:
    """Whether somebody was asked to decide; a document that was only saved is a draft."""
    return any(event.act in VERDICTS or event.act in (SUBMITTED, FOR_APPROVAL) for event in history)


def rounds(history: Sequence[LogEvent]) -> Iterator[list[LogEvent]]:
    """The parts of a history, each from one submission to the next; the first may begin without."""
    current: list[LogEvent] = []
    for event in history:
        if event.act == SUBMITTED and current:
            yield current
            current = []
        current.append(event)
    if current:
        yield current


class LogOutcome(StrEnum):
    """How a document stands at the end of the log."""

    DRAFT = "never submitted"
    OPEN = "still open"
    APPROVED = "approved"
    REJECTED = "rejected for good"
    RETURNED = "returned, and not submitted again"
    TAKEN_BACK = "taken back by the requester"
    ROLLED_BACK = "rolled back by the system"


def outcome_of(history: History, requesters: frozenset[str], *, rejections_return: bool) -> LogOutcome:
    """How it ended: by what was said of it last, saving it and putting it before somebody left out.

    `requesters` are the roles of those who ask. `rejections_return`: what an approver rejects goes
    back to them, and is not over.
    """
    said = [event for event in history if event.act in VERDICTS or event.act == SUBMITTED]
    if not said:
        return LogOutcome.DRAFT
    last = said[-1]
    if last.act == FINAL_APPROVED:
        return LogOutcome.APPROVED
    if last.act != REJECTED:
        return LogOutcome.OPEN
    if last.role in SYSTEM_ROLES:
        return LogOutcome.ROLLED_BACK
    if last.role in requesters:
        return LogOutcome.TAKEN_BACK
    return LogOutcome.RETURNED if rejections_return else LogOutcome.REJECTED

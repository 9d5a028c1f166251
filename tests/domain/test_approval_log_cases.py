"""Cases of a log, each of which says one thing: played through the approval, and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from domain.approval_log.process import learn
from domain.approval_log.reading import (
    History,
    LogEvent,
    LogOutcome,
    Said,
    histories,
    parse_activity,
    parse_instant,
)
from domain.approval_log.replay import Replayed, Verdict, replay_case
from runtime import cel
from tests.approval_logs import (
    ACTIVITY,
    ASKED,
    BOSS,
    CASE,
    DESK,
    NOT_BOSS,
    NOT_DESK,
    OWNER,
    TAKEN,
    TIME,
    UNDONE,
    USUAL,
    rows,
)

SAVED = "SAVED by EMPLOYEE"


def play(cases: Mapping[str, Sequence[str]]) -> dict[str, Replayed]:
    """The cases, played by what is learned of all of them; the first line of a file is its heading."""
    events: dict[str, list[LogEvent]] = {case: [] for case in cases}
    for line, row in enumerate(rows(cases), start=2):
        if (said := parse_activity(row[ACTIVITY])) is not None:
            event = LogEvent(said.document, said.act, said.role, parse_instant(row[TIME]), line)
            events[row[CASE]].append(event)
    known: dict[str, list[History]] = {}
    for each in events.values():
        for document, history in histories(each).items():
            known.setdefault(document, []).append(history)
    learned = {document: learn(document, each) for document, each in known.items()}
    processes = {document: process for document, process in learned.items() if process.roles}
    return {case: replay_case(processes, each, cel.answer, case) for case, each in events.items()}


def verdicts(played: Mapping[str, Replayed]) -> Counter[Verdict]:
    return Counter(each.verdict for each in played.values())


@pytest.mark.parametrize(
    ("events", "ended"),
    [
        ((ASKED, DESK, OWNER, BOSS, "Request Payment", "Payment Handled"), LogOutcome.APPROVED),
        ((SAVED, ASKED, BOSS), LogOutcome.APPROVED),
        ((ASKED, NOT_DESK, TAKEN, ASKED, NOT_DESK, TAKEN, ASKED, DESK, BOSS), LogOutcome.APPROVED),
        ((ASKED, NOT_DESK, ASKED, DESK, BOSS), LogOutcome.APPROVED),
        ((ASKED, NOT_DESK, ASKED, TAKEN, ASKED, DESK, BOSS), LogOutcome.APPROVED),
        ((ASKED, NOT_DESK, TAKEN), LogOutcome.TAKEN_BACK),
        ((ASKED, TAKEN), LogOutcome.TAKEN_BACK),
        ((ASKED, DESK, OWNER), LogOutcome.OPEN),
        ((ASKED,), LogOutcome.OPEN),
        ((ASKED, DESK, NOT_BOSS), LogOutcome.RETURNED),
        ((ASKED, DESK, UNDONE), LogOutcome.ROLLED_BACK),
        ((ASKED, UNDONE, ASKED, BOSS), LogOutcome.APPROVED),
        ((ASKED, "FOR_APPROVAL by ADMINISTRATION", DESK, BOSS), LogOutcome.APPROVED),
    ],
)
def test_the_approval_says_what_the_log_says(events: tuple[str, ...], ended: LogOutcome):
    found = play({**USUAL, "it": events})
    assert (found["it"].verdict, found["it"].reason) == (Verdict.AGREES, None)
    assert found["it"].outcome is ended
    assert found["it"].came_again is (NOT_DESK in events and events.count(ASKED) > 1)
    assert verdicts(found) == {Verdict.AGREES: 6}


@pytest.mark.parametrize(
    ("events", "where", "reason"),
    [
        ((ASKED, OWNER, DESK, BOSS), 2, "BUDGET OWNER decided, where ADMINISTRATION was asked"),
        ((ASKED, BOSS, DESK), 2, "SUPERVISOR decided, where ADMINISTRATION was asked"),
        ((ASKED, DESK, DESK, BOSS), 3, "ADMINISTRATION decided, where SUPERVISOR was asked"),
        ((ASKED, DESK, BOSS, BOSS), 4, "SUPERVISOR decided, where nobody was asked"),
        ((ASKED, NOT_DESK, DESK, BOSS), 3, "ADMINISTRATION decided, where the requester was asked"),
        ((ASKED, DESK, ASKED, BOSS), 3, "submitted again while SUPERVISOR was asked"),
        ((ASKED, DESK, "APPROVED by SUPERVISOR"), 3, "not final with SUPERVISOR by the log"),
        (
            (ASKED, "FINAL_APPROVED by ADMINISTRATION", OWNER, BOSS),
            2,
            "final with ADMINISTRATION by the log, where BUDGET OWNER was still to be asked",
        ),
        ((ASKED, NOT_DESK, TAKEN, TAKEN), 4, "the approval refuses it"),
        ((ASKED, "APPROVED by EMPLOYEE"), 2, "EMPLOYEE decided, which is not an approver's role here"),
    ],
)
def test_it_is_said_where_the_log_and_the_approval_part(events: tuple[str, ...], where: int, reason: str):
    before = {f"usual {number}": USUAL["owner"] for number in range(3)}
    found = play({"it": events, **before, **USUAL})
    played = found["it"]
    assert played.verdict is Verdict.DISAGREES
    assert reason in (played.reason or "")
    assert played.line == 1 + where, "the heading is line 1"
    assert verdicts(found) == {Verdict.AGREES: 8, Verdict.DISAGREES: 1}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((SAVED,), "never submitted"),
        ((SAVED, "Request Payment"), "never submitted"),
        ((SAVED, TAKEN), "never submitted"),
        (("Request Payment", "Payment Handled"), "nothing of an approval happened in it"),
        ((ASKED, DESK, BOSS, UNDONE), "undone by the system after the final approval"),
        ((ASKED, DESK, BOSS, UNDONE, ASKED, DESK, BOSS), "undone by the system after the final approval"),
        ((ASKED, DESK, BOSS, TAKEN), "undone by EMPLOYEE after the final approval"),
        ((ASKED, DESK, BOSS, NOT_BOSS), "undone by SUPERVISOR after the final approval"),
        ((DESK, BOSS), "decided before it was submitted"),
        ((UNDONE, ASKED, BOSS), "rolled back before it was submitted"),
        ((ASKED, "APPROVED by MISSING"), "nobody decided"),
        ((ASKED, "ARCHIVED by SUPERVISOR"), "ARCHIVED is nothing that an approval knows"),
        ((ASKED, DESK, "FOR_APPROVAL by ADMINISTRATION"), "put before ADMINISTRATION, where SUPERVISOR was"),
    ],
)
def test_what_the_approval_has_no_word_for_is_listed(events: tuple[str, ...], reason: str):
    found = play({**USUAL, "it": events})
    assert found["it"].verdict is Verdict.INEXPRESSIBLE
    assert reason in (found["it"].reason or "")
    assert verdicts(found) == {Verdict.AGREES: 5, Verdict.INEXPRESSIBLE: 1}


def test_rejections_may_be_the_end():
    found = play({"a": (ASKED, NOT_DESK), "b": (ASKED, DESK, NOT_BOSS), "c": (ASKED, BOSS)})
    assert [each.outcome for each in found.values()].count(LogOutcome.REJECTED) == 2
    assert verdicts(found) == {Verdict.AGREES: 3}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Declaration REJECTED by BUDGET OWNER", ("Declaration", "REJECTED", "BUDGET OWNER")),
        (
            "Request For Payment FINAL_APPROVED by DIRECTOR",
            ("Request For Payment", "FINAL_APPROVED", "DIRECTOR"),
        ),
        ("Permit APPROVED by PRE_APPROVER", ("Permit", "APPROVED", "PRE APPROVER")),
        (" Report by hand SAVED by Employee ", ("Report by hand", "SAVED", "EMPLOYEE")),
        ("SUBMITTED by EMPLOYEE", ("Document", "SUBMITTED", "EMPLOYEE")),
    ],
)
def test_activities_are_taken_apart(name: str, parts: tuple[str, str, str]):
    assert parse_activity(name) == Said(*parts)


@pytest.mark.parametrize(
    "name", ["Request Payment", "Payment Handled", "Sent by mail", "SAVED by", "", "by X"]
)
def test_other_activities_are_none_of_ours(name: str):
    assert parse_activity(name) is None


def test_an_instant_is_in_utc():
    assert parse_instant("2017-01-09T09:49:50.000+01:00") == parse_instant("2017/01/09 08:49:50")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "2300-01-01", "soon"])
def test_what_is_no_instant_of_these_times_is_refused(text: str):
    with pytest.raises(ValueError, match=r"of these times|Invalid isoformat"):
        parse_instant(text)


def test_each_document_of_a_case_counts_and_the_worst_is_told():
    travel = ("Permit: SUBMITTED by EMPLOYEE", "Permit: FINAL_APPROVED by DIRECTOR", "Start trip")
    found = play(
        {
            **USUAL,
            "both": (*travel, ASKED, DESK, BOSS),
            "beside": ("Permit: SAVED by EMPLOYEE", ASKED, BOSS),
            "one is not": (*travel, "Permit: REJECTED by MISSING", ASKED, DESK, BOSS),
            "the other is not": (*travel, ASKED, BOSS, DESK),
        }
    )
    parted = {case: each.verdict for case, each in found.items() if each.verdict is not Verdict.AGREES}
    assert parted == {"one is not": Verdict.INEXPRESSIBLE, "the other is not": Verdict.DISAGREES}
    assert len({move.request for move in found["both"].moves}) == 2

"""Any log at all: what is learned of it, and what comes of its cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from domain.approval_log.process import LIFE, learn
from domain.approval_log.reading import (
    APPROVED,
    FINAL_APPROVED,
    FOR_APPROVAL,
    REJECTED,
    SAVED,
    SUBMITTED,
    History,
    LogEvent,
    outcome_of,
    rounds,
)
from domain.approval_log.replay import Replayed, Verdict, replay
from tests.approvals import judge

BEGIN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ROLES = ("EMPLOYEE", "ADMINISTRATION", "SUPERVISOR", "DIRECTOR", "MISSING", "Ω")
ACTS = (SAVED, SUBMITTED, APPROVED, FINAL_APPROVED, REJECTED, FOR_APPROVAL, "PAID")


def cel_like(expression: str, facts: dict[str, object]) -> object:
    """The few words of CEL that a learned policy uses, as Python."""
    python = expression.replace("||", "or").replace("&&", "and").replace("!", "not ")
    return judge(python.replace("request.route", "request['route']"), facts)


def history(*said: tuple[str, str], hours: int = 20) -> History:
    return tuple(
        LogEvent("Claim", act, role, BEGIN + timedelta(hours=hours * number), number)
        for number, (act, role) in enumerate(said, start=1)
    )


histories = st.builds(
    lambda said, hours: history(*said, hours=hours),
    st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(ROLES)), min_size=1, max_size=12),
    st.integers(0, 2000),
)
plausible = st.builds(
    lambda said: history(*said),
    st.lists(
        st.sampled_from(
            [
                (SUBMITTED, "EMPLOYEE"),
                (APPROVED, "ADMINISTRATION"),
                (REJECTED, "ADMINISTRATION"),
                (FINAL_APPROVED, "SUPERVISOR"),
                (REJECTED, "SUPERVISOR"),
                (REJECTED, "EMPLOYEE"),
            ]
        ),
        min_size=1,
        max_size=12,
    ),
)
USUAL = [history((SUBMITTED, "EMPLOYEE"), (APPROVED, "ADMINISTRATION"), (FINAL_APPROVED, "SUPERVISOR"))] * 50
PROCESS = learn("Claim", USUAL)


@given(st.lists(histories, min_size=1, max_size=6))
def test_any_log_can_be_learned_and_played(log: list[History]):
    process = learn("Claim", log)
    assert len(process.templates) == len(process.roles)
    for each in log:
        played = replay(process, each, cel_like, case="1")
        assert (played.reason is None) is (played.verdict is Verdict.AGREES)
        if played.verdict is Verdict.AGREES:
            returns = process.rejections_return
            assert played.outcome is outcome_of(each, process.requesters, rejections_return=returns)


@given(plausible)
def test_a_case_agrees_just_when_it_follows_the_process(case: History):
    played: Replayed = replay(PROCESS, case, cel_like, case="1")
    assert (played.verdict is Verdict.AGREES) is follows(case)


def test_a_request_that_nobody_took_up_in_a_lifetime_ends_by_itself_and_the_log_does_not_say_so():
    asked, returned, saved = history(
        (SUBMITTED, "EMPLOYEE"), (REJECTED, "ADMINISTRATION"), (SAVED, "EMPLOYEE")
    )
    late = replace(saved, at=BEGIN + LIFE + timedelta(days=1))
    played = replay(PROCESS, (asked, returned, late), cel_like, case="1")
    assert (played.verdict, played.line) == (Verdict.DISAGREES, 3)
    assert played.reason == (
        "at the end the log says returned, and not submitted again, and the approval still open"
    )


NEXT = {
    **{(stands, "SUBMITTED by EMPLOYEE"): "asked" for stands in ("", "returned", "taken back", "approved")},
    ("", "REJECTED by EMPLOYEE"): "",
    ("desk", "APPROVED by ADMINISTRATION"): "boss",
    ("desk", "REJECTED by ADMINISTRATION"): "returned",
    ("desk", "REJECTED by EMPLOYEE"): "taken back",
    ("boss", "FINAL_APPROVED by SUPERVISOR"): "approved",
    ("boss", "REJECTED by SUPERVISOR"): "returned",
    ("boss", "REJECTED by EMPLOYEE"): "taken back",
    ("returned", "REJECTED by EMPLOYEE"): "taken back for now",
}
"""The process of `USUAL`, written once more: how a case stands, what may happen, and how it stands then."""


def follows(case: History) -> bool:
    """Whether all that happens in a case may happen there."""
    stands = ""
    for index, event in enumerate(case):
        later = case[index + 1 :]
        found = NEXT.get((stands, f"{event.act} by {event.role}"))
        if found is None:
            return False
        if found == "asked":
            this = takewhile(lambda each: each.act != SUBMITTED, later)
            found = "desk" if any(each.role == "ADMINISTRATION" for each in this) else "boss"
        if found == "taken back for now":
            found = "returned" if any(each.act == SUBMITTED for each in later) else "taken back"
        stands = found
    return stands != ""


def test_a_case_without_events_has_no_rounds():
    assert list(rounds(())) == []

"""`tandem replay-log`: another organisation's approvals, played through ours and compared."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from domain.approval_log.reading import LogOutcome
from domain.approval_log.replay import Verdict
from domain.errors import InvalidInput
from ops.replay_log import Report, replay_log, report
from tests.approval_logs import (
    ACTIVITY,
    ASKED,
    BOSS,
    CASE,
    DESK,
    OWNER,
    PUBLIC,
    TIME,
    USUAL,
    rows,
    text,
    with_public,
    write,
)

SAVED = "SAVED by EMPLOYEE"


def numbers(found: Report) -> dict[str, int]:
    return {key: value for key, value in found.as_dict().items() if key not in ("seconds", "listed")}


@pytest.mark.parametrize("document", ["Request For Payment", "Permit", "PTC", "Ωmega 7"])
def test_any_document_is_followed(tmp_path: Path, document: str):
    found = replay_log(write(tmp_path, USUAL, document))
    assert list(found.processes) == [document]
    assert found.count(Verdict.AGREES) == len(USUAL)


def test_each_document_of_a_case_is_followed_by_its_own_policy(tmp_path: Path):
    travel = ("Permit: SUBMITTED by EMPLOYEE", "Permit: FINAL_APPROVED by DIRECTOR", "Start trip")
    cases = {
        **USUAL,
        "both": (*travel, ASKED, DESK, BOSS),
        "beside": ("Permit: SAVED by EMPLOYEE", ASKED, BOSS),
        "at once": (ASKED, travel[0], DESK, travel[1], BOSS),
        "one is not": (*travel, "Permit: REJECTED by MISSING", ASKED, DESK, BOSS),
        "the other is not": (*travel, ASKED, BOSS, DESK),
    }
    found = replay_log(write(tmp_path, cases))
    assert list(found.processes) == ["Claim", "Permit"]
    parted = {case: each.verdict for case, each in found.played.items() if each.verdict is not Verdict.AGREES}
    assert parted == {"one is not": Verdict.INEXPRESSIBLE, "the other is not": Verdict.DISAGREES}


def test_a_director_has_the_last_word_where_the_request_goes_that_far(tmp_path: Path):
    further = (ASKED, DESK, "APPROVED by SUPERVISOR", "FINAL_APPROVED by DIRECTOR")
    alone = (ASKED, "FINAL_APPROVED by DIRECTOR")
    found = replay_log(write(tmp_path, {**USUAL, "further": further, "alone": alone}))
    assert found.processes["Claim"].last_words == ("SUPERVISOR", "DIRECTOR")
    assert found.count(Verdict.AGREES) == 7
    assert "'supervisor' in request.route || (!('director' in request.route))" in report(found, verbose=True)


def test_the_order_is_the_logs_own_and_it_is_said(tmp_path: Path):
    other = (ASKED, OWNER, DESK, BOSS)
    found = replay_log(write(tmp_path, {"a": other, "b": other, "c": (ASKED, DESK, OWNER, BOSS)}))
    assert found.processes["Claim"].roles == ("BUDGET OWNER", "ADMINISTRATION", "SUPERVISOR")
    assert numbers(found) == {"cases": 3, "agree": 2, "disagree": 1, "inexpressible": 0}
    assert "BUDGET OWNER decides before ADMINISTRATION" in report(found, verbose=True)


def test_roles_that_nobody_foresaw_have_steps_as_well(tmp_path: Path):
    roles = [
        "REQUESTER",
        "4 EYES",
        "four-eyes",
        "FOUR EYES",
        *(f"COMMITTEE {number}" for number in range(30)),
    ]
    cases = {role: (ASKED, f"APPROVED by {role}", BOSS) for role in roles}
    found = replay_log(write(tmp_path, cases))
    assert numbers(found) == {"cases": 34, "agree": 19, "disagree": 15, "inexpressible": 0}, (
        "20 steps at most"
    )


def test_a_log_that_is_mixed_up_in_every_case_agrees_in_none(tmp_path: Path):
    usual = {f"usual {number}": USUAL["owner"] for number in range(20)}
    mixed = {f"mixed {number}": (ASKED, BOSS, OWNER, DESK) for number in range(19)}
    found = replay_log(write(tmp_path, usual | mixed))
    assert numbers(found) == {"cases": 39, "agree": 20, "disagree": 19, "inexpressible": 0}


def test_rows_come_in_any_order_and_layout(tmp_path: Path):
    plain = numbers(replay_log(write(tmp_path, USUAL)))
    events = rows(USUAL)
    random.Random(3).shuffle(events)
    shown = [
        {"ignored": "x", **each, TIME: each[TIME].replace("T", " ").replace("-", "/")} for each in events
    ]
    started = [
        {**each, "lifecycle:transition": step} for each in rows(USUAL) for step in ("start", "complete")
    ]
    for content in (
        "\ufeff" + text(shown),
        text(events, delimiter=";", lineterminator="\r\n"),
        text({key: each[key] for key in (TIME, ACTIVITY, CASE)} for each in events),
        text(started),
    ):
        path = tmp_path / "other.csv"
        path.write_text(content)
        assert numbers(replay_log(path)) == plain
        path.write_bytes(gzip.compress(content.encode()))
        assert numbers(replay_log(path)) == plain


GOOD = f"{CASE},{ACTIVITY},{TIME}\n1,Claim SUBMITTED by EMPLOYEE,2026-11-02T09:00:00Z\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (GOOD.splitlines()[0].encode(), "has a heading and no events"),
        (b"a,b\n1,2\n", "has no column case:concept:name, concept:name, time:timestamp"),
        (f"{GOOD}1,Claim\n".encode(), "line 3: the row has 2 values, and the heading has 3 columns"),
        (f"{GOOD}1,Claim SAVED by X,soon\n".encode(), "line 3: 'soon' in time:timestamp is no time"),
        (f"{GOOD}1,Claim SAVED by X,0001-01-01T00:00:00Z\n".encode(), "line 3: '0001-01-01T00:00:00Z'"),
        (f"{GOOD},Claim SAVED by X,2026-11-02\n".encode(), "line 3: case:concept:name is empty"),
        (f'{GOOD}1,"Claim\n'.encode(), "line 3: a quote"),
        (f"{GOOD}1,Cl\xe4im,2026-11-02\n".encode("latin-1"), "line 3: this is not UTF-8 text"),
        (GOOD.encode(), "has no approvals"),
        (f"{GOOD}1,Claim REJECTED by EMPLOYEE,2026-11-03\n".encode(), "has no approvals"),
        (gzip.compress(GOOD.encode(), mtime=0)[:-9], "is gzipped, and not whole"),
        (b"\x1f\x8bnot at all", "is gzipped, and not whole"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        replay_log(path)
    assert sentence in refused.value.detail
    assert refused.value.detail.startswith("log.csv")


def test_the_command_answers_in_words_and_as_json(tmp_path: Path):
    path = write(tmp_path, {**USUAL, "draft": (SAVED,), "odd": (ASKED, BOSS, DESK)})
    answered = CliRunner().invoke(cli.app, ["replay-log", str(path), "--json"])
    told = json.loads(answered.output)
    assert {key: told[key] for key in ("cases", "agree", "disagree", "inexpressible")} == {
        "cases": 7,
        "agree": 5,
        "disagree": 1,
        "inexpressible": 1,
    }
    assert told["seconds"] > 0
    assert [(each["case"], each["verdict"]) for each in told["listed"]] == [
        ("draft", "inexpressible"),
        ("odd", "disagree"),
    ]
    words = CliRunner().invoke(cli.app, ["replay-log", str(path), "--verbose"]).output
    assert "administration, when: 'administration' in request.route" in words
    assert "disagree: 1 × SUPERVISOR decided, where ADMINISTRATION was asked\n  odd\n" in words
    assert "inexpressible: 1 × it was never submitted: nobody was asked\n  draft\n" in words


def test_a_log_that_is_not_there(tmp_path: Path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        replay_log(tmp_path / "none.csv")


@with_public
@pytest.mark.slow
def test_a_real_organisations_approvals_go_as_ours_would():
    found = replay_log(PUBLIC)
    assert numbers(found) == {"cases": 10_357, "agree": 10_137, "disagree": 0, "inexpressible": 220}
    few = {
        reason.partition(":")[0]: len(cases) for reason, cases in found.parted(Verdict.INEXPRESSIBLE).items()
    }
    assert few == {"it was never submitted": 135, "undone by the system after the final approval": 85}
    agreed = [each.outcome for each in found.played.values() if each.verdict is Verdict.AGREES]
    assert {ended: agreed.count(ended) for ended in set(agreed)} == {
        LogOutcome.APPROVED: 9_853,
        LogOutcome.TAKEN_BACK: 284,
    }
    assert sum(each.came_again for each in found.played.values() if each.verdict is Verdict.AGREES) == 947

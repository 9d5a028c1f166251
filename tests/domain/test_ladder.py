"""Ladders: who is told next while nobody acts, each rung once, stopped by the act itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.ladder import Ladders, Rung, Subject, Tell
from domain.notice import Message, NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity.agenda import DueKind, agenda
from domain.opportunity.clock import fall_due, next_due
from domain.opportunity.draft import Outcome, TimelineEntry
from domain.opportunity.events import Escalated, FellDue, Reminded
from domain.opportunity.forecast import MAX_FORECAST, if_nobody_acts
from domain.opportunity.ladder import steps
from domain.opportunity.notices import TOLD, messages
from domain.opportunity.planned import next_deadline
from domain.principal import Actor, Role
from tests.bargains import a_bargain
from tests.factories import (
    ASTER,
    BOREALIS,
    DIRECTOR,
    NOW,
    REP,
    SELLER,
    Working,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
    assignee,
    person,
)
from tests.triggers import nothing_holds

TASK_LADDER = [
    {"before": "1d", "tell": "assignee"},
    {"tell": "assignee"},
    {"after": "1bd", "tell": "other_side"},
    {"after": "3bd", "tell": "manager"},
]


def a_laddered_deal(ladders: dict[str, Any], clock: dict[str, Any] | None = None, **changes: Any) -> Working:
    """Monday 1 March 2027, 09:00: one task of each side due on Thursday."""
    book = a_playbook(
        stages=[
            a_stage(
                "qualify",
                a_task("confirm-budget", due="3d"),
                a_task("share-profile", "partner", due="3d"),
                target="1w",
                check_in="1w",
            ),
            a_stage("commit", a_task("sign-contract")),
        ],
        ladders=ladders,
        clock=clock or {},
    )
    return a_deal(playbook=book, **changes)


def _awaited(entry: TimelineEntry) -> datetime:
    """When what was said was to be said."""
    event = entry.event
    assert isinstance(event, FellDue | Reminded | Escalated)
    return event.due_at if isinstance(event, FellDue) else event.at_rung


def told(deal: Working, since: int = 0) -> list[Message]:
    return messages(Outcome(opportunity=deal.deal, entries=tuple(deal.entries[since:])))


def test_each_rung_speaks_once_in_its_time():
    deal = a_laddered_deal({"task": TASK_LADDER}).complete("share-profile")
    before = len(deal.entries)
    for _ in range(24 * 9):
        deal.later(hours=1)
    reached = [
        (entry.event.tell, entry.event.at_rung - NOW)
        for entry in deal.entries[before:]
        if entry.event.type in ("reminded", "escalated")
    ]
    assert reached == [
        (Tell.ASSIGNEE, timedelta(days=2)),
        (Tell.ASSIGNEE, timedelta(days=3)),
        (Tell.OTHER_SIDE, timedelta(days=3, hours=8)),
        (Tell.MANAGER, timedelta(days=7, hours=8)),  # Monday: the weekend is no business time
    ]
    due = next_due(deal.deal)
    assert due is not None
    assert due > deal.now


def test_who_is_told_reads_what_was_to_be_done_next():
    deal = a_laddered_deal({"task": TASK_LADDER})
    deal.ask(ask.LogCheckIn(note="They like it.", next_step="Send the paper"))
    [first, *_] = told(deal.later(days=2), since=2)
    assert [(fact.name, fact.value) for fact in first.facts][-1] == ("Next step", "Send the paper")


def test_the_act_itself_ends_the_ladder():
    deal = a_laddered_deal({"task": TASK_LADDER}).later(days=2).complete("confirm-budget", "share-profile")
    assert "reminded" not in deal.later(days=30).types[-3:]
    assert deal.types.count("reminded") == 2


def test_a_reminder_for_a_time_before_the_task_began_is_no_reminder():
    deal = a_laddered_deal({"task": [{"before": "1w", "tell": "assignee"}]})
    assert "reminded" not in deal.later(days=2).types


def test_rungs_wait_while_the_deal_is_on_hold():
    deal = a_laddered_deal({"task": TASK_LADDER}).complete("share-profile").later(days=3, hours=1)
    assert deal.types.count("reminded") == 2
    deal.ask(ask.HoldDeal(reason="budget freeze")).later(days=20).ask(ask.Resume())
    assert deal.types.count("reminded") == 2
    assert deal.later(hours=6).types.count("reminded") == 2
    assert deal.later(hours=1).types.count("reminded") == 3
    assert deal.types.count("escalated") == 0


def test_a_deadline_that_moves_has_its_ladder_again():
    deal = a_laddered_deal({"close": [{"before": "1d", "tell": "owner"}]}, expected_close=date(2027, 3, 3))
    assert deal.later(days=2).types.count("reminded") == 1
    deal.ask(ask.Change(expected_close=date(2027, 3, 10)))
    assert deal.later(days=7).types.count("reminded") == 2


def test_whose_turn_it_is_is_told_first_then_the_other_side_then_the_manager():
    deal = a_laddered_deal({"task": TASK_LADDER})
    deal.ask(ask.AssignTask(key="confirm-budget", assignee=assignee(REP)), by=DIRECTOR)
    since = len(deal.entries)
    for _ in range(9):
        deal.later(days=1)
    ours, theirs = (REP.id,), (ASTER.id,)
    assert [(m.kind, m.recipients, m.partners, m.managers_of) for m in told(deal, since)] == [
        (NoticeKind.TASK_DUE, ours, (), ()),
        (NoticeKind.TASK_DUE, (), theirs, ()),
        (NoticeKind.TASK_DUE, (), theirs, ()),  # the other side of ours
        (NoticeKind.TASK_DUE, ours, (), ()),  # the other side of theirs
        (NoticeKind.ESCALATED, (), (), ours),
        (NoticeKind.ESCALATED, (), (), ours),
    ]


def test_a_deal_that_nobody_owns_is_told_to_the_sales_director():
    ladder = [{"tell": "owner"}, {"after": "1h", "tell": "manager"}]
    deal = a_laddered_deal({"stage": ladder}, owner=None).later(days=8)
    news = [m for m in told(deal) if m.kind in (NoticeKind.STAGE_OVERDUE, NoticeKind.ESCALATED)]
    assert [(m.roles, m.recipients, m.managers_of) for m in news] == [((Role.SALES_DIRECTOR,), (), ())] * 2


def test_what_is_told_to_a_manager_is_the_vendors_business():
    deal = a_laddered_deal({"stage": [{"tell": "manager"}]}).later(days=8)
    [entry] = [entry for entry in deal.entries if entry.event.type == "escalated"]
    assert entry.event.internal
    assert entry.words.startswith("Tandem told the manager: Qualify should be finished by")


def test_a_check_in_that_nobody_looks_after_is_both_sides():
    deal = a_laddered_deal({"check_in": [{"before": "1d", "tell": "assignee"}]}).later(days=6)
    [message] = [m for m in told(deal) if m.kind is NoticeKind.CHECK_IN_DUE]
    assert message.recipients == (REP.id,)
    assert message.partners == (ASTER.id,)
    assert message.event is not None
    assert message.event.starts_at == NOW + timedelta(days=7)


def test_a_check_in_after_its_time_was_missed():
    deal = a_laddered_deal({"check_in": [{"after": "1bd", "tell": "assignee"}]}, {"missed": "1bd"}).later(
        days=9
    )
    assert "A check-in with Aster Integrators was missed: it was due on 8 March 2027." in [
        entry.words for entry in deal.entries
    ]
    assert deal.deal.missed_check_ins == 1
    assert [m.kind for m in told(deal)] == [NoticeKind.CHECK_IN_MISSED]
    assert deal.ask(ask.LogCheckIn(note="Talked at last")).later(days=2).deal.missed_check_ins == 1


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        ("partner", "Nothing was heard from Aster Integrators since"),
        ("vendor", "Nothing was heard from the vendor"),
    ],
)
def test_a_side_that_is_silent_is_noticed_and_the_other_told(silent, words):
    deal = a_laddered_deal({"stale": [{"tell": "other_side"}]}, {"stale": "5bd"})
    for _ in range(8):
        deal.later(days=1).ask(ask.AddNote(text="Still here"), by=REP if silent == "partner" else SELLER)
    assert next(entry.words for entry in deal.entries if entry.words.startswith("Nothing")).startswith(words)
    [message] = [m for m in told(deal) if m.kind is NoticeKind.STALE]
    assert (message.recipients, message.partners) == (
        ((REP.id,), ()) if silent == "partner" else ((), (ASTER.id,))
    )


def test_a_deal_without_partners_has_one_side():
    deal = a_laddered_deal({}, {"stale": "1bd"}, partners=()).later(days=4)
    assert [entry.words for entry in deal.entries if entry.words.startswith("Nothing")] == [
        "Nothing was heard from the vendor since 1 March 2027."
    ]


def test_where_there_is_no_other_side_the_owner_is_told():
    ladder = [{"tell": "other_side"}, {"after": "1h", "tell": "owner"}]
    deal = a_laddered_deal({"stale": ladder}, {"stale": "1bd"}, partners=())
    assert [step.tell for step in steps(deal.deal, agenda(deal.deal))] == [Tell.OWNER, Tell.OWNER]
    news = [m for m in told(deal.later(days=4)) if m.kind is NoticeKind.STALE]
    assert [(m.recipients, m.partners) for m in news] == [((REP.id,), ())] * 2, "as often as ever: see _rung"
    assert "Tandem reminded the deal's owner: Nothing was heard from the vendor since 1 March 2027." in [
        entry.words for entry in deal.entries
    ]


def test_the_close_is_near_and_then_passed():
    deal = a_laddered_deal({}, {"close_near": "1w"}, expected_close=date(2027, 3, 10))
    deal.later(days=20)
    assert [entry.words for entry in deal.entries if "expected close" in entry.words] == [
        "The expected close is near: 10 March 2027.",
        "The expected close was due on 10 March 2027, 23:59 UTC.",
    ]


def test_after_a_week_without_a_worker_all_is_said_in_order_and_told_in_short():
    deal = a_laddered_deal({"task": TASK_LADDER, "stage": [{"tell": "owner"}]}).complete("share-profile")
    since = len(deal.entries)
    deal.later(days=9)
    at = [_awaited(entry) for entry in deal.entries[since:]]
    assert at == sorted(at)
    news = told(deal, since)
    assert all(message.late for message in news)
    about_task = [m for m in news if m.kind in (NoticeKind.TASK_DUE, NoticeKind.ESCALATED)]
    assert len(about_task) == 3, "whoever should act hears of it once, however many rungs were missed"


def test_a_task_that_is_given_to_somebody_is_told_to_them_but_not_by_themselves():
    deal = a_deal()
    deal.ask(ask.AssignTask(key="confirm-budget", assignee=assignee(DIRECTOR)))
    [message] = told(deal)
    assert message.kind is NoticeKind.TASK_ASSIGNED
    assert message.recipients == (DIRECTOR.id,)
    deal.ask(ask.AssignTask(key="confirm-budget", assignee=assignee(REP)))
    deal.ask(ask.AssignTask(key="confirm-budget", assignee=None))
    assert len(told(deal)) == 1


def test_the_forecast_says_what_would_happen_and_changes_nothing():
    deal = a_laddered_deal({"task": TASK_LADDER}, {"stale": "5bd"})
    version = deal.deal.version
    ahead = if_nobody_acts(deal.deal, NOW, NOW + timedelta(days=30), nothing_holds)
    assert [each.at for each in ahead] == sorted(each.at for each in ahead)
    assert {"reminded", "escalated", "fell_due"} == {each.type for each in ahead}
    assert deal.deal.version == version
    deal.later(days=30)
    assert [each.words for each in ahead] == [entry.words for entry in deal.entries[-len(ahead) :]]


def test_a_forecast_is_no_novel():
    book = a_playbook(
        stages=[a_stage("a", *(a_task(f"t{n}", due=f"{n + 1}h") for n in range(50)))],
        ladders={"task": [{"tell": "owner"}] * 10},
    )
    ahead = if_nobody_acts(a_deal(playbook=book).deal, NOW, NOW + timedelta(days=30), nothing_holds)
    assert len(ahead) == MAX_FORECAST


def test_a_rung_is_before_or_after():
    with pytest.raises(ValidationError, match="not both"):
        Rung.model_validate({"before": "1d", "after": "1bd", "tell": "owner"})
    assert Ladders(task=(Rung(tell=Tell.OWNER),)).of(Subject.TASK)[0].tell.label == "the deal's owner"


def test_a_hold_is_no_silence_in_the_next_stage_either():
    deal = a_laddered_deal({}, {"stale": "5bd"})
    deal.ask(ask.HoldDeal(reason="freeze")).later(days=28).ask(ask.Resume())
    held = deal.deal.pauses
    deal.ask(ask.Move(stage="commit", reason="They go on"))
    assert deal.deal.pauses == held, "the partner was not heard since"
    silent = {item.key: item.at for item in agenda(deal.deal) if item.kind is DueKind.STALE}
    assert silent["partner"] == NOW + timedelta(days=28 + 4, hours=8)
    deal.ask(ask.AddNote(text="Still here"), by=SELLER).later(hours=1).ask(ask.AddNote(text="So are we"))
    deal.ask(ask.Move(stage="qualify", reason="Not yet"))
    assert deal.deal.pauses == ()


def test_what_fell_due_is_not_said_of_a_deal_that_moved_on_in_the_same_moment():
    """A hold that ends at the instant of a task's old deadline shifts that first."""
    deal = a_laddered_deal({"task": TASK_LADDER})
    deal.ask(ask.HoldDeal(reason="freeze", until=NOW + timedelta(days=3))).later(days=3)
    assert deal.last == "The hold ended and the deal goes on."
    assert fall_due(deal.deal, deal.now).entries == ()
    assert person(REP) == deal.deal.owner


def test_the_end_of_a_grant_is_said_before_it_comes_but_not_while_the_deal_waits():
    deal = a_bargain(playbook=a_playbook(clock={"grant_near": "1w"}))
    deal.granted("20")
    deal.later(days=84)
    assert deal.last == "The grant of 20 % ends on 30 May 2027."
    assert deal.entries[-1].event.only_for == ASTER.id, "no other partner may know what it gives"
    held = a_bargain(playbook=a_playbook(clock={"grant_near": "1w"}))
    held.granted("20")
    held.ask(ask.HoldDeal(reason="freeze")).later(days=88)
    assert "ends on" not in held.last


@pytest.mark.parametrize(
    ("by", "owner", "recipients", "partners", "roles"),
    [
        (REP, REP, (REP.id,), (), ()),
        (DIRECTOR, REP, (REP.id, DIRECTOR.id), (), ()),
        (SELLER, REP, (REP.id,), (ASTER.id,), ()),
        (DIRECTOR, None, (DIRECTOR.id,), (), (Role.SALES_DIRECTOR,)),
    ],
    ids=["the owner", "another", "a partner", "nobody's deal"],
)
def test_who_has_a_grant_that_ends_is_told(
    by: Actor, owner: Actor | None, recipients: Any, partners: Any, roles: Any
):
    """Once before it ends and once when it has; not the partners that have no part in it."""
    book = a_playbook(clock={"grant_near": "1w"})
    deal = a_bargain(playbook=book, partners=(ASTER, BOREALIS), owner=person(owner) if owner else None)
    deal.granted("20", by=by)
    deal.later(days=84).later(days=7)
    ends = [message for message in told(deal) if message.kind is NoticeKind.GRANT_ENDING]
    assert [message.words for message in ends] == [
        "The grant of 20 % ends on 30 May 2027.",
        "The grant of 20 % ended: it was granted until 30 May 2027.",
    ]
    for message in ends:
        assert (message.recipients, message.partners, message.roles) == (recipients, partners, roles)
        assert message.due_at == deal.discount(1).envelope.until


def test_a_task_that_is_added_for_somebody_is_told_to_them():
    deal = a_deal().ask(ask.AddTask(title="Call", side="vendor", assignee=assignee(DIRECTOR)))
    deal.ask(ask.AddTask(title="Write", side="vendor", assignee=assignee(REP)))
    deal.ask(ask.AddTask(title="Think", side="vendor"))
    assert [(message.kind, message.recipients) for message in told(deal)] == [
        (NoticeKind.TASK_ASSIGNED, (DIRECTOR.id,))
    ]
    assert told(deal)[0].words == "Rosa Rep added the task “Call” for the vendor."
    events = Outcome(opportunity=deal.deal, entries=tuple(deal.entries))
    assert [len(messages(events, kinds)) for kinds in TOLD.values()] == [0, 1, 0]


def test_a_task_of_one_partner_is_told_to_that_one():
    deal = a_laddered_deal({"task": [{"tell": "assignee"}]}, partners=(ASTER, BOREALIS)).later(days=4)
    assert [(m.partners, m.recipients) for m in told(deal)] == [
        ((), (REP.id,)),
        ((ASTER.id,), ()),
        ((BOREALIS.id,), ()),
    ]


def test_the_next_deadline_of_a_list_is_no_reminder():
    deal = a_laddered_deal({"task": TASK_LADDER}, {"close_near": "2w"})
    assert next_due(deal.deal) == NOW + timedelta(days=2)
    assert next_deadline(deal.deal, agenda(deal.deal)) == NOW + timedelta(days=3)
    deal.later(days=3)
    assert next_deadline(deal.deal, agenda(deal.deal)) == NOW + timedelta(days=7)
    assert next_deadline(a_deal(at="commit", expected_close=None).deal, []) is None

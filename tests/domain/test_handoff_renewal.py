"""The contract's end, and the deal that renews the one that was handed over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import (
    Forbidden,
    InvalidInput,
    RenewalOpen,
)
from domain.handoff import commands as ask
from domain.handoff.agenda import next_due, renewal_is_due
from domain.handoff.renewal import opening, renewal_id, renewal_title
from domain.handoff.rules import renewal_opened
from domain.handoff.state import EndReason, Progress
from domain.notice import NoticeKind
from domain.opportunity import commands as ask_deal
from domain.principal import Role
from tests.factories import ASTER, NOW, REP, SELLER, a_deal, a_playbook, a_won_deal
from tests.handoffs import (
    RITA,
    SUSI,
    HandOffGame,
    an_accepted_handoff,
    log,
)


@pytest.mark.parametrize("by", [SUSI, RITA], ids=lambda each: each.name)
def test_the_contracts_end_sets_when_the_renewal_opens(by):
    game = an_accepted_handoff().ask(ask.SetContract(ends=date(2028, 3, 31)), by=by)
    assert game.process.renewal_at == datetime(2028, 1, 1, tzinfo=UTC)
    assert game.last == f"{by.name} noted that the contract ends on 31 March 2028."
    assert len(game.ask(ask.SetContract(ends=date(2028, 3, 31))).entries) == len(game.entries)
    game.ask(ask.SetContract(ends=None))
    assert game.process.renewal_at is None
    assert game.last == "Susi Success took back the end of the contract: no renewal opens by itself."


@pytest.mark.parametrize("ends", [date(2027, 3, 4), date(2040, 1, 1)])
def test_a_contracts_end_that_cannot_be(ends):
    with pytest.raises(InvalidInput, match="give a day in the next ten years") as refusal:
        an_accepted_handoff().ask(ask.SetContract(ends=ends))
    assert refusal.value.extra["errors"][0]["pointer"] == "/contract_ends"


def test_a_stranger_does_not_set_the_contracts_end():
    stranger = RITA.model_copy(update={"roles": (Role.FINANCE,)})
    with pytest.raises(Forbidden, match="say when the contract ends"):
        HandOffGame().ask(ask.SetContract(ends=None), by=stranger)


def test_given_when_the_deal_is_won():
    game = HandOffGame(contract_ends=date(2028, 3, 31))
    assert game.last == ("The hand-off to customer success began. The contract ends on 31 March 2028.")
    assert game.process.renewal_at == datetime(2028, 1, 1, tzinfo=UTC)


def test_the_deal_keeps_what_was_given_when_it_was_won():
    won = a_won_deal()
    assert won.deal.contract_ends is None
    with pytest.raises(InvalidInput, match="The contract would end on 1 January 1999"):
        _last_stage().ask(ask_deal.Win(contract_ends=date(1999, 1, 1)))
    deal = _last_stage().ask(ask_deal.Win(contract_ends=date(2028, 3, 31)))
    assert deal.deal.contract_ends == date(2028, 3, 31)


def _last_stage():
    """A deal that is ready to be won."""
    deal = a_deal(at=a_playbook().stages[-1].key)
    for task in deal.deal.stage_tasks():
        if task.is_open:
            deal.complete(task.key)
    for who in (REP, SELLER):
        if deal.blocked_by == ["sign_off_missing"] or "sign_off_missing" in deal.blocked_by:
            deal.ask(ask_deal.Advance(), by=who)
    return deal


def test_the_renewal_opens_once_and_the_hand_off_is_done():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    for number in (1, 2, 3):
        game.ask(log(f"follow-up-{number}"))
    game.told.clear()
    game.pass_time(timedelta(days=400))
    assert game.types[-2:] == ["renewal_opened", "handoff_ended"]
    assert (game.process.progress, game.process.ended.reason) == (Progress.ENDED, EndReason.RENEWAL_OPENED)
    opened = game.entries[-2]
    assert opened.words == ("Tandem opened “ERP rollout (renewal 2028)”: the contract ends on 31 March 2028.")
    assert opened.at == datetime(2028, 1, 1, tzinfo=UTC)
    [told] = game.told
    assert (told.kind, told.recipients, told.partners) == (
        NoticeKind.RENEWAL_OPENED,
        (REP.id, SUSI.id),
        (ASTER.id,),
    )
    assert renewal_opened(game.process, game.deal.id, "again", game.now).entries == ()
    assert game.process.renewal_at is None
    assert next_due(game.process) is None


def test_nothing_is_renewed_before_somebody_received_the_customer():
    game = HandOffGame(contract_ends=date(2027, 4, 1)).complete().pass_time(timedelta(hours=1))
    assert game.process.renewal is None
    due = next_due(game.process)
    assert due is None or due > game.now
    game.accept()
    game.told.clear()
    game.pass_time(timedelta(hours=1))
    assert [each.kind for each in game.told] == [NoticeKind.RENEWAL_OPENED]
    assert game.process.is_open, "three follow-ups are planned"


def test_a_hand_off_that_began_before_renewals_waited_goes_on_as_it_began():
    game = HandOffGame(contract_ends=date(2027, 4, 1)).complete()
    game.process.renews_once_accepted = False
    game.told.clear()
    game.pass_time(timedelta(hours=1))
    assert [each.kind for each in game.told] == [NoticeKind.RENEWAL_OPENED]
    assert game.process.is_open, "nobody has accepted it yet"


def test_a_short_contract_ends_when_the_last_follow_up_is_held_or_given_up():
    game = an_accepted_handoff(contract_ends=date(2027, 4, 1)).pass_time(timedelta(hours=1))
    assert game.process.renewal is not None
    game.ask(log("follow-up-1")).ask(log("follow-up-2"))
    assert game.process.is_open
    game.pass_time(timedelta(days=120))
    assert not game.process.is_open
    assert game.types[-2:] == ["follow_up_escalated", "handoff_ended"]


def test_once_the_renewal_is_open_the_contract_is_its_own():
    game = an_accepted_handoff(contract_ends=date(2027, 4, 1)).pass_time(timedelta(hours=1))
    with pytest.raises(RenewalOpen, match="“ERP rollout \\(renewal 2027\\)” is open already"):
        game.ask(ask.SetContract(ends=None))


def test_the_renewal_takes_over_what_there_is():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    book = a_playbook()
    command = opening(game.process, game.deal, book, game.deal.owner, [ASTER.id])
    assert (command.parent_id, command.account_id, command.amount) == (
        game.deal.id,
        game.deal.account_id,
        game.deal.amount,
    )
    assert (command.title, command.expected_close) == ("ERP rollout (renewal 2028)", date(2028, 3, 31))
    assert [each.id for each in command.partners] == [ASTER.id]
    assert opening(game.process, game.deal, book, None, []).partners == ()
    renewed = a_deal(parent_id=game.deal.id)
    assert renewed.deal.parent_id == game.deal.id
    assert renewed.entries[0].words == ("Rosa Rep opened “ERP rollout” for Acme, which renews another deal.")


def test_its_id_is_the_same_however_often_one_tries_and_in_the_order_of_time():
    game = an_accepted_handoff(contract_ends=date(2028, 3, 31))
    number = renewal_id(game.process)
    assert number == renewal_id(game.process.model_copy(update={"version": 99}))
    assert (number.version, number.variant) == (7, "specified in RFC 4122")
    assert number.int >> 80 == int(game.process.renewal_at.timestamp() * 1000)


def test_without_a_contracts_end_there_is_nothing_to_renew():
    game = an_accepted_handoff()
    assert not renewal_is_due(game.process, NOW + timedelta(days=4000))
    with pytest.raises(ValueError, match="no renewal"):
        renewal_id(game.process)
    with pytest.raises(ValueError, match="nothing to renew"):
        opening(game.process, game.deal, a_playbook(), None, [])


def test_a_renewal_of_a_renewal_is_not_called_so_twice():
    assert renewal_title("ERP (renewal 2028)", date(2029, 3, 31)) == "ERP (renewal 2029)"
    assert len(renewal_title("x" * 200, date(2029, 3, 31))) <= 200

"""Who has left has nothing to do on a deal any more."""

from __future__ import annotations

from domain.opportunity import commands as ask
from domain.opportunity.agenda import DueKind, agenda
from domain.opportunity.leavers import person_left
from domain.opportunity.state import CheckInFor
from domain.opportunity.work import work_items
from domain.principal import Side
from tests.factories import ASTER, NOW, REP, SELLER, a_deal, person

LOOKS_AFTER = CheckInFor(person=person(SELLER), side=Side.PARTNER, partner_id=ASTER.id)


def test_what_was_given_to_them_is_their_sides_again_and_keeps_its_time():
    mine = ask.Assignee(id=SELLER.id, name=SELLER.name, side=Side.PARTNER, partner_id=ASTER.id)
    deal = a_deal().ask(ask.SetCadence(every="2w", who=LOOKS_AFTER), by=SELLER)
    deal.ask(ask.AddTask(title="Book a room", side=Side.PARTNER, partner_id=ASTER.id, assignee=mine))
    before = deal.deal
    outcome = person_left(before, person(SELLER).id, NOW)
    after = outcome.opportunity
    [entry] = outcome.entries
    assert entry.words == f"{SELLER.name} has left, and had “Book a room” and the check-ins to look after."
    assert entry.by.is_system
    assert after.heard == before.heard, "that somebody left is no word from their side"
    assert (after.cadence.every, after.cadence.who) == ("2w", None)
    assert after.next_check_in_at == before.next_check_in_at
    assert all(item.assignee_id is None for item in work_items(after))
    [item] = [item for item in agenda(after) if item.kind is DueKind.CHECK_IN]
    assert (item.side, item.assignee_id) == (None, None)


def test_tasks_alone_are_given_back_and_what_is_done_stays_theirs():
    mine = ask.Assignee(id=REP.id, name=REP.name, side=Side.VENDOR)
    deal = a_deal().ask(ask.SetCadence(every="2w", who=LOOKS_AFTER), by=SELLER)
    for title in ("Done", "Open"):
        deal.ask(ask.AddTask(title=title, side=Side.VENDOR, assignee=mine))
    done, still = (task.key for task in deal.deal.tasks.values() if task.title in {"Done", "Open"})
    deal.ask(ask.CompleteTask(key=done))
    after = person_left(deal.deal, person(REP).id, NOW).opportunity
    assert after.tasks[done].assignee == person(REP)
    assert after.tasks[still].assignee is None
    assert after.cadence.who == LOOKS_AFTER


def test_who_had_nothing_to_do_is_no_news():
    deal = a_deal().deal
    outcome = person_left(deal, person(REP).id, NOW)
    assert (outcome.entries, outcome.opportunity.version) == ((), deal.version)

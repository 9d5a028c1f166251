"""The playbooks that ship, worked from the first contact to the hand-over, their rules really asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.blockers import blockers, exit_of
from domain.opportunity.facts import facts
from domain.opportunity.rules import rule_to_judge
from domain.opportunity.state import Status
from domain.playbook import ExitBy, PartnerRole, Playbook
from ops.playbooks import shipped_playbooks
from runtime.cel import evaluate, sample_facts
from runtime.playbooks import read_playbook
from tests.factories import ASTER, REP, SELLER, SUCCESS, Working, a_deal

by_file = pytest.mark.parametrize("file", shipped_playbooks(), ids=lambda file: file.stem)


def started(file: Path, role: PartnerRole | None = None, **changes: Any) -> Working:
    """A deal with the playbook, and Aster in the role that the playbook wants first."""
    book = Playbook.model_validate({**read_playbook(file).model_dump(mode="json"), "version": 1})
    partner = ASTER.model_copy(update={"role": role or book.partner_roles[0]})
    return asked(a_deal(playbook=book, partners=(partner,), **changes))


def asked(deal: Working) -> Working:
    """The stage's rule answers, as the worker would have it answered."""
    rule = rule_to_judge(deal.deal)
    return deal.judge(met=evaluate(rule, facts(deal.deal))) if rule else deal


def finish_tasks(deal: Working) -> None:
    here = deal.deal.stage.key
    for task in deal.deal.stage_tasks():
        if task.required and task.is_open and deal.deal.stage.key == here:
            asked(deal.complete(task.key))


def work_stage(deal: Working) -> None:
    """Do what the stage asks of both sides, and move on where the playbook leaves that to a person."""
    here = deal.deal.stage.key
    finish_tasks(deal)
    for side in (REP, SELLER):
        if deal.deal.stage.key == here and exit_of(deal.deal).by is ExitBy.SIGN_OFF:
            asked(deal.ask(ask.Advance(), by=side))
    if deal.deal.stage.key == here and deal.deal.playbook.next_stage(here):
        assert deal.blocked_by == ["ready_to_advance"]
        asked(deal.ask(ask.Advance(), by=REP))


@by_file
def test_both_sides_work_it_to_the_hand_over(file: Path) -> None:
    deal = started(file)
    way = [stage.key for stage in deal.deal.playbook.stages]
    for key in way:
        assert deal.deal.stage.key == key
        assert blockers(deal.deal), "nothing to do in this stage"
        work_stage(deal)
    deal.ask(ask.Win(), by=REP)
    finish_tasks(deal)
    assert deal.ask(ask.AcceptHandOff(), by=SUCCESS).deal.status is Status.HANDED_OFF
    assert len(deal.entries) < 100


def test_a_large_machine_waits_for_a_second_engineer() -> None:
    file = next(file for file in shipped_playbooks() if file.stem == "manufacturing")
    deal = started(file, amount=Money(amount="500000.00", currency="EUR"))
    while deal.deal.stage.key != "joint-solution-design":
        work_stage(deal)
    finish_tasks(deal)
    assert deal.blocked_by == ["rule_not_met"]
    assert "a second engineer has reviewed the design" in deal.why[0]
    asked(deal.complete("peer-review-design"))
    assert deal.blocked_by == ["ready_to_advance"]


def test_a_cloud_deal_needs_its_managed_service_partner() -> None:
    file = next(file for file in shipped_playbooks() if file.stem == "cloud-msp")
    deal = started(file, PartnerRole.RESELLER)
    finish_tasks(deal)
    assert deal.deal.stage.key == "qualify"
    assert "A managed-service partner takes part" in deal.why[0]


def test_rules_are_checked_with_the_facts_that_deals_have() -> None:
    """The sample of `runtime.cel` and `domain.opportunity.facts` have one shape."""
    deal = started(shipped_playbooks()[1], PartnerRole.RESELLER)
    real, sample = facts(deal.deal), sample_facts(dict.fromkeys(deal.deal.tasks, "vendor"))
    assert shape(real) == shape(sample)


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value)

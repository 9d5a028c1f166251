"""An imported deal as the command that opens it here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from domain.approval.policy import PolicyRef
from domain.crm_import.mapping import ImportMapping
from domain.crm_import.records import Deal
from domain.money import Money
from domain.opportunity.commands import Closing, Open
from domain.opportunity.draft import Outcome
from domain.opportunity.rules import open_deal
from domain.opportunity.state import Customer, External, Person, Status
from domain.playbook import Playbook
from domain.principal import SYSTEM, Actor


def opening(
    deal: Deal,
    mapping: ImportMapping,
    playbook: Playbook,
    *,
    policy: PolicyRef | None,
    account_id: UUID | None,
    owner: Actor | None,
) -> Open:
    """The command; the deal begins on the day, and in the stage, where the export has it.

    It keeps the playbook and the discount policy that are the newest when it is imported.
    """
    account = deal.account
    return Open(
        id=deal.id,
        title=deal.title,
        customer=Customer(
            name=deal.customer,
            country=account.country if account else None,
            industry=account.industry if account else None,
        ),
        account_id=account_id,
        amount=Money(amount=deal.amount, currency=mapping.currency) if deal.amount is not None else None,
        expected_close=deal.expected_close,
        owner=Person(id=owner.id, name=owner.name) if owner and owner.id else None,
        playbook=playbook,
        policy=policy,
        custom=deal.custom,
        external=External(source=mapping.source, id=deal.external_id),
        opened_at=deal.opened_at,
        stage=deal.meaning.stage,
        closing=_closing(deal, deal.closed_at) if deal.closed_at else None,
    )


def _closing(deal: Deal, at: datetime) -> Closing:
    status = cast("Literal[Status.WON, Status.LOST]", deal.meaning.status)
    return Closing(status=status, at=at, reason=deal.meaning.reason)


def opened(command: Open, now: datetime, owner: Actor | None) -> Outcome:
    """What the opening leads to, said by the owner; by Tandem where nobody owns the deal."""
    return open_deal(command, now, owner or SYSTEM)

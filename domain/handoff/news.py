"""What a deal tells its hand-off: the hand-off's own tasks and decisions stay the deal's."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from domain.handoff.state import DealFacts, Progress
from domain.opportunity.blockers import open_tasks
from domain.opportunity.draft import Outcome
from domain.opportunity.state import HandOffState, Opportunity
from domain.playbook_handoff import AfterWinning
from domain.principal import SYSTEM, Actor
from domain.value import Value

_PROGRESS = {HandOffState.RETURNED: Progress.RETURNED, HandOffState.ACCEPTED: Progress.ACCEPTED}


class HandOffNews(Value):
    """How the deal stands as far as it concerns the hand-off; `by` led to it, at this instant (UTC)."""

    facts: DealFacts
    plan: AfterWinning
    progress: Progress
    note: str | None = None
    contract_ends: date | None = None
    renews_once_accepted: bool = Field(
        default=False, description="False in what was told before renewals waited for acceptance."
    )
    by: Actor
    at: AwareDatetime


def _progress(deal: Opportunity) -> Progress | None:
    if deal.handoff is None:
        return None
    return _PROGRESS.get(deal.handoff.state) or (Progress.PREPARING if open_tasks(deal) else Progress.WAITING)


def _of_concern(deal: Opportunity | None) -> tuple[object, ...] | None:
    """What the hand-off has to hear of when it changes."""
    if deal is None or (progress := _progress(deal)) is None:
        return None
    note = deal.handoff.note if deal.handoff else None
    return progress, note, deal.title, deal.owner, deal.partners


def news(before: Opportunity | None, outcome: Outcome) -> HandOffNews | None:
    """What a change of the deal means to its hand-off; None for nothing."""
    deal = outcome.opportunity
    progress = _progress(deal)
    if progress is None or _of_concern(before) == _of_concern(deal):
        return None
    people = [entry.by for entry in outcome.entries if not entry.by.is_system]
    template = deal.playbook.handoff
    return HandOffNews(
        facts=DealFacts(
            id=deal.id,
            version=deal.version,
            title=deal.title,
            customer=deal.customer.name,
            owner=deal.owner,
            partners=tuple(partner.id for partner in deal.partners),
        ),
        plan=AfterWinning(**{name: getattr(template, name) for name in AfterWinning.model_fields}),
        progress=progress,
        note=deal.handoff.note if deal.handoff else None,
        renews_once_accepted=True,
        contract_ends=deal.contract_ends,
        by=people[-1] if people else SYSTEM,
        at=deal.updated_at,
    )

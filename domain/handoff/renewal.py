"""The next deal with the customer: how it is opened, and under which id, so that it opens once."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from hashlib import sha256
from uuid import UUID

from domain.handoff.state import HandOffProcess
from domain.opportunity import commands as ask
from domain.opportunity.state import Opportunity, Person
from domain.opportunity.wording import shortened
from domain.playbook import Playbook

_RENEWED = re.compile(r" \(renewal \d{4}\)$")
_TITLE = 180
"""Characters of a title that leave room for what is put behind it."""


def renewal_id(process: HandOffProcess) -> UUID:
    """The renewal's id: the same however often one tries (a UUID, version 7: its time is when it was due).

    Raises:
        ValueError: no renewal is due, ever.
    """
    at = process.renewal_at
    if at is None:
        msg = "There is no renewal to be opened."
        raise ValueError(msg)
    digest = int.from_bytes(sha256(f"renewal of {process.facts.id}".encode()).digest()[:10])
    milliseconds = max(int(at.timestamp() * 1000), 0)
    number = milliseconds << 80 | 7 << 76 | (digest >> 68 & 0xFFF) << 64 | 2 << 62 | digest & (1 << 62) - 1
    return UUID(int=number)


def renewal_title(title: str, ends: date) -> str:
    """What the renewal is called."""
    return f"{shortened(_RENEWED.sub('', title), _TITLE)} (renewal {ends.year})"


def opening(
    process: HandOffProcess,
    deal: Opportunity,
    playbook: Playbook,
    owner: Person | None,
    partners: Collection[UUID],
) -> ask.Open:
    """The command that opens the renewal: as the deal was, with the `partners` that are still there.

    It is expected to be signed on the day on which the contract ends.

    Raises:
        ValueError: no contract's end is known.
    """
    if process.contract_ends is None:
        msg = "Without the contract's end there is nothing to renew."
        raise ValueError(msg)
    return ask.Open(
        id=renewal_id(process),
        title=renewal_title(deal.title, process.contract_ends),
        customer=deal.customer,
        account_id=deal.account_id,
        amount=deal.amount,
        expected_close=process.contract_ends,
        owner=owner,
        playbook=playbook,
        partners=tuple(each for each in deal.partners if each.id in partners),
        parent_id=deal.id,
    )

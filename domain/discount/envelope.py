"""What a grant covers: an envelope, not a number. “Up to 27 %, for at least 200,000.00 USD, until 30 June”.

A change of the deal inside of it needs nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.dates import dated
from domain.discount.facts import taken_off
from domain.money import Money
from domain.percent import Percent
from domain.rates import Rates
from domain.value import Value


class Envelope(Value):
    """The bounds of a grant; a bound that is None does not hold."""

    max_percent: Percent = Field(description="The most that may be given off the list price.")
    min_amount: Money | None = Field(
        default=None, description="What the deal comes to at least, before discounts."
    )
    max_value: Money | None = Field(
        default=None, description="What may be given away at most, in the currency of the policy."
    )
    until: AwareDatetime | None = None
    partner_id: UUID | None = Field(
        default=None, description="The partner that it was granted to, while it takes part."
    )
    line: str | None = Field(default=None, description="The line or product line it is for; None: all.")

    @property
    def words(self) -> str:
        """The bounds as people say them."""
        parts = [f"up to {self.max_percent} %"]
        if self.line is not None:
            parts.append(f"on {self.line}")
        if self.min_amount is not None:
            parts.append(f"for at least {self.min_amount}")
        if self.max_value is not None:
            parts.append(f"giving away at most {self.max_value}")
        if self.until is not None:
            parts.append(f"until {dated(self.until)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class PricedPart:
    """A line of a deal at list price, with the discount that it has now."""

    key: str
    name: str
    product_line: str | None
    list_amount: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """A deal as an envelope looks at it. Without lines nobody knows what is given yet: `parts` is empty."""

    amount: Money | None
    parts: tuple[PricedPart, ...]
    partner_ids: tuple[UUID, ...]

    def on(self, line: str | None) -> Priced:
        """The part of the deal that is this line, or of this product line; all of it for None."""
        if line is None or not self.parts or self.amount is None:
            return self
        parts = tuple(part for part in self.parts if line in (part.key, part.product_line))
        amount = sum((part.list_amount for part in parts), Decimal(0))
        return Priced(Money(amount=amount, currency=self.amount.currency), parts, self.partner_ids)


@dataclass(frozen=True, slots=True)
class Violation:
    """One bound that a deal is outside of: the fact that it is about, and the sentence for people."""

    fact: str
    words: str


def fits(envelope: Envelope, deal: Priced, rates: Rates, now: datetime) -> tuple[Violation, ...]:
    """What is outside of the envelope; nothing where the grant covers the deal as it is.

    `rates` are those kept with the request.

    Raises:
        NoExchangeRate: the deal is in a currency now that nothing is known of.
    """
    return tuple(_violations(envelope, deal.on(envelope.line), rates, now))


def _violations(envelope: Envelope, deal: Priced, rates: Rates, now: datetime) -> Iterator[Violation]:
    if envelope.until is not None and now >= envelope.until:
        yield Violation("grant.until", f"the grant ended on {dated(envelope.until)}")
    if envelope.partner_id is not None and envelope.partner_id not in deal.partner_ids:
        yield Violation("partner.name", "the partner that it was granted to is not on the deal")
    if envelope.min_amount is not None:
        yield from _too_small(envelope.min_amount, deal.amount, rates)
    if envelope.max_value is not None and deal.amount is not None:
        yield from _too_much(envelope, envelope.max_value, deal.amount, rates)


def _too_small(least: Money, amount: Money | None, rates: Rates) -> Iterator[Violation]:
    if amount is None:
        yield Violation("deal.amount", f"the deal has no amount, and it was granted for at least {least}")
    elif rates.convert(amount, least.currency).amount < least.amount:
        yield Violation("deal.amount", f"the deal comes to {amount}, and it was granted for at least {least}")


def _too_much(envelope: Envelope, most: Money, amount: Money, rates: Rates) -> Iterator[Violation]:
    given = given_away(rates.convert(amount, most.currency), envelope.max_percent)
    if given.amount > most.amount:
        what = f"{envelope.max_percent} % would give away {given}, and at most {most} was granted"
        yield Violation("discount.value", what)


def given_away(amount: Money, percent: Decimal) -> Money:
    """What a discount takes off an amount, to the cent."""
    return Money(amount=taken_off(amount.amount, percent), currency=amount.currency)


def in_words(violations: Sequence[Violation]) -> str:
    """All that is outside, as one clause."""
    return "; ".join(violation.words for violation in violations)

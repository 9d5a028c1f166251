"""The people of a simulation: sellers, partners, approvers with their holidays, customer success."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.calendar import Calendar
from domain.discount.policy import DiscountPolicy
from domain.duration import parse_duration
from domain.opportunity.state import DealPartner, Person
from domain.partner import Tier
from domain.playbook import PartnerRole, Playbook
from domain.principal import Actor, Role, Side
from domain.simulation.behaviour import APPROVING, Absence, ApproverBehaviour, Behaviour
from domain.simulation.dice import Dice

_A_YEAR = timedelta(days=365)


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"tandem:simulation:{name}")


VENDOR = _id("vendor")


class Period(NamedTuple):
    """What is simulated: from and until before these instants (UTC), with the chances of a seed."""

    begins: datetime
    ends: datetime
    seed: str


class Away(NamedTuple):
    """Somebody is on holiday, from and until before these instants (UTC)."""

    person_id: UUID
    begins: datetime
    ends: datetime
    stand_in: bool


@dataclass(frozen=True)
class Cast:
    """Everybody who plays, and how the approvers behave."""

    directory: Directory
    owner: Actor
    success: Actor
    partners: dict[Tier, DealPartner]
    sellers: dict[Tier, Actor]
    habits: dict[UUID, ApproverBehaviour]
    away: tuple[Away, ...]

    @property
    def owning(self) -> Person:
        return Person(id=_known(self.owner), name=self.owner.name)

    def actor(self, person_id: UUID) -> Actor:
        """Somebody of the vendor's, as who acts."""
        person = next(each for each in self.directory.people if each.id == person_id)
        return _actor(person, "Vendor")

    def back_at(self, person_id: UUID, now: datetime) -> datetime | None:
        """When somebody who is on holiday is back; None for who is here."""
        spells = (each for each in self.away if each.person_id == person_id)
        return next((each.ends for each in spells if each.begins <= now < each.ends), None)


def cast_of(
    behaviour: Behaviour,
    playbook: Playbook,
    policy: DiscountPolicy | None,
    calendar: Calendar,
    period: Period,
) -> Cast:
    """The people that a playbook and a policy ask for, as many as the behaviour has of them."""
    people = [_person("Director", Role.SALES_DIRECTOR, calendar)]
    habits = {people[0].id: behaviour.approver(Role.SALES_DIRECTOR)}
    for role in APPROVING:
        known = behaviour.approver(role)
        for number in range(len([each for each in people if role in each.roles]), known.people):
            person = _person(f"{role.value.replace('_', ' ').capitalize()} {number + 1}", role, calendar)
            people.append(person)
            habits[person.id] = known
    for email in sorted(_named(playbook, policy)):
        person = _person(email.partition("@")[0], None, calendar, email)
        people.append(person)
        habits[person.id] = ApproverBehaviour()
    owner = _person("Owner", Role.SALES_REP, calendar, manager_id=people[0].id)
    success = _person("Success", Role.CUSTOMER_SUCCESS, calendar, manager_id=people[0].id)
    away = tuple(_spells(habits, period))
    by_name = sorted((*people, owner, success), key=lambda each: (each.name, str(each.id)))
    return Cast(
        directory=Directory(tuple(by_name), tuple(_delegations(people, away))),
        owner=_actor(owner, "Vendor"),
        success=_actor(success, "Vendor"),
        partners={tier: _partner(tier, playbook) for tier in Tier},
        sellers={tier: _seller(tier) for tier in Tier},
        habits=habits,
        away=away,
    )


def _person(
    name: str, role: Role | None, calendar: Calendar, email: str = "", manager_id: UUID | None = None
) -> PersonEntry:
    address = email or f"{name.lower().replace(' ', '.')}@vendor.example"
    return PersonEntry(
        id=_id(address),
        name=name,
        email=address,
        roles=(role,) if role else (),
        manager_id=manager_id,
        calendar=calendar,
        organisation_id=VENDOR,
    )


def _actor(person: PersonEntry, organisation: str) -> Actor:
    return Actor(
        id=person.id,
        name=person.name,
        side=person.side,
        organisation_id=person.organisation_id,
        organisation=organisation,
        roles=person.roles,
    )


def _known(actor: Actor) -> UUID:
    return actor.id or VENDOR


def _partner(tier: Tier, playbook: Playbook) -> DealPartner:
    role = playbook.partner_roles[0] if playbook.partner_roles else PartnerRole.RESELLER
    return DealPartner(id=_id(tier.value), name=f"{tier.value.capitalize()} partner", role=role)


def seller_id(tier: Tier) -> UUID:
    """Who sells at the partner of this tier."""
    return _id(f"seller {tier.value}")


def _seller(tier: Tier) -> Actor:
    name = f"{tier.value.capitalize()} partner"
    return Actor(
        id=seller_id(tier),
        name=f"{tier.value.capitalize()} seller",
        side=Side.PARTNER,
        organisation_id=_id(tier.value),
        organisation=name,
        roles=(Role.PARTNER_SELLER,),
    )


def _named(playbook: Playbook, policy: DiscountPolicy | None) -> set[str]:
    """The addresses of those whom a playbook or a policy asks by name."""
    rules = [rule for _, each in playbook.all_triggers() if each.approval for rule in each.approval.rules]
    if policy is not None:
        rules += [*policy.backup]
        for step in policy.steps:
            rules += [*step.approvers, *(each.to for each in step.escalate), *(step.backup or ())]
    return {rule.person.lower() for rule in rules if rule.person is not None}


def _spells(habits: dict[UUID, ApproverBehaviour], period: Period) -> Iterator[Away]:
    """Everybody's holidays: one in each part of the year, at any time of it."""
    for person_id, each in habits.items():
        if each.away is not None:
            yield from _of_one(person_id, each.away, period)


def _of_one(person_id: UUID, absence: Absence, period: Period) -> Iterator[Away]:
    dice, length = Dice(f"{period.seed} away {person_id}"), parse_duration(absence.length)
    whole = period.ends - period.begins
    count = round(absence.times * (whole / _A_YEAR))
    for number in range(count):
        slot = whole / count
        begins = period.begins + slot * number
        start = begins + max(slot - length, timedelta()) * dice.share()
        yield Away(person_id, start, min(start + length, begins + slot), absence.stand_in)


def _delegations(people: Iterable[PersonEntry], away: Iterable[Away]) -> Iterator[Delegation]:
    """Who stands in: the next colleague of the same role, where there is one."""
    roles = {person.id: person.roles for person in people}
    for each in away:
        colleagues = [person_id for person_id, theirs in roles.items() if theirs == roles[each.person_id]]
        if each.stand_in and len(colleagues) > 1:
            to = colleagues[(colleagues.index(each.person_id) + 1) % len(colleagues)]
            yield Delegation(user_id=each.person_id, to_id=to, starts_at=each.begins, ends_at=each.ends)

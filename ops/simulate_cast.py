"""The people of a simulation, their holidays and the policy, as rows of a scratch database."""

from __future__ import annotations

from uuid import UUID

from db import delegations, partners, people, policies
from db.session import Database
from db.tables import DelegationRow, Organisation, OrganisationKind, User
from domain.approval.directory import Directory, PersonEntry
from domain.discount.policy import DiscountPolicyDefinition
from domain.principal import Actor
from domain.simulation.behaviour import Behaviour
from domain.simulation.cast import VENDOR, Cast, seller_id
from domain.simulation.world import Trial
from runtime.ids import new_id


async def engage(database: Database, trial: Trial, cast: Cast) -> None:
    """Write all of them down, in an empty database."""
    async with database.transaction() as session:
        vendor = Organisation(id=VENDOR, kind=OrganisationKind.VENDOR, name="Vendor")
        await partners.add(session, vendor)
        for tier, partner in cast.partners.items():
            row = Organisation(
                id=partner.id, kind=OrganisationKind.PARTNER, name=partner.name, tier=tier.value
            )
            await partners.add(session, row)
        for person in _managers_first(cast.directory):
            await people.add(session, _user(person, trial.behaviour))
        for tier, seller in cast.sellers.items():
            await people.add(session, _seller(seller, seller_id(tier), cast.partners[tier].id))
        for each in cast.directory.delegations:
            row_of_it = DelegationRow(
                id=new_id(),
                user_id=each.user_id,
                to_id=each.to_id,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                created_by=each.user_id,
            )
            await delegations.add(session, row_of_it)
        if trial.policy is not None:
            fields = trial.policy.model_dump(exclude={"version"})
            draft = DiscountPolicyDefinition.model_validate(fields)
            await policies.publish(session, draft, by=None, now=trial.period.begins)


def _managers_first(directory: Directory) -> list[PersonEntry]:
    return sorted(directory.people, key=lambda person: person.manager_id is not None)


def _user(person: PersonEntry, behaviour: Behaviour) -> User:
    return User(
        id=person.id,
        organisation_id=person.organisation_id,
        email=person.email,
        name=person.name,
        roles=list(person.roles),
        manager_id=person.manager_id,
        time_zone=behaviour.zone,
        country=behaviour.country,
    )


def _seller(seller: Actor, user_id: UUID, partner_id: UUID) -> User:
    return User(
        id=user_id,
        organisation_id=partner_id,
        email=f"{seller.name.lower().replace(' ', '.')}@partner.example",
        name=seller.name,
        roles=list(seller.roles),
    )

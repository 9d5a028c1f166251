"""Who has left has nothing to do on a deal any more: what was given to them is their side's again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from domain.opportunity import events as did
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.state import Opportunity, Person
from domain.principal import SYSTEM


class PersonGone(BaseModel):
    """Somebody does not work here any more: a deal's process hears it as a signal."""

    id: UUID


def person_left(deal: Opportunity, person_id: UUID, now: datetime) -> Outcome:
    """The deal without them: check-ins stay where they are, open tasks keep their deadlines."""
    draft = Draft(deal, now, SYSTEM)
    who = deal.cadence.who
    looked_after = who is not None and _is(who.person, person_id)
    given = [task for task in deal.tasks.values() if task.is_open and _is(task.assignee, person_id)]
    person = given[0].assignee if given else who.person if looked_after and who else None
    if person is not None:
        tasks = tuple(task.but(assignee=None) for task in given)
        draft.add(did.PersonLeft(person=person, tasks=tasks, check_ins=looked_after))
    return draft.outcome()


def _is(person: Person | None, person_id: UUID) -> bool:
    return person is not None and person.id == person_id

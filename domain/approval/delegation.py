"""What a delegation may be: to whom somebody may give her decisions, and when.

Checked where one is made. What happens to people afterwards (somebody leaves,
hands over as well) is met by `Directory.stand_in`, which lives with anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from domain.approval.directory import Delegation, Directory
from domain.dates import dated
from domain.errors import InvalidInput


def check_delegation(wanted: Delegation, directory: Directory, now: datetime) -> None:
    """Whether somebody may stand in for another as `wanted`, besides what the directory has already.

    The directory holds at least the people of their organisation and the
    delegations of these that are not over.

    Raises:
        InvalidInput: with a sentence, and a pointer to `/user_id`, `/to`, `/starts_at` or `/ends_at`.
    """
    _check_people(wanted, directory)
    _check_times(wanted, now)
    for other in directory.delegations_of(wanted.user_id):
        if other.overlaps(wanted):
            raise InvalidInput(
                f"{_name(directory, other.to_id)} stands in {_span(other)} already; end that first, "
                "or choose other dates.",
                pointer="/starts_at",
            )
    if ring := next(_rings(wanted, directory, (wanted,)), None):
        names = " → ".join(_name(directory, each.user_id) for each in (*ring, wanted))
        raise InvalidInput(
            f"This would run in a ring ({names}), and nobody would decide; choose somebody else.",
            pointer="/to",
        )


def _check_people(wanted: Delegation, directory: Directory) -> None:
    person, to = directory.person(wanted.user_id), directory.person(wanted.to_id)
    if person is None or not person.active:
        raise InvalidInput("There is no such active person.", pointer="/user_id")
    if wanted.to_id == wanted.user_id:
        raise InvalidInput("Nobody stands in for oneself; choose somebody else.", pointer="/to")
    if to is None or to.organisation_id != person.organisation_id:
        raise InvalidInput("Somebody of the same organisation has to stand in.", pointer="/to")
    if not to.active:
        raise InvalidInput(f"{to.name} is no longer here; choose somebody else.", pointer="/to")


def _check_times(wanted: Delegation, now: datetime) -> None:
    if wanted.ends_at is None:
        return
    if wanted.ends_at <= wanted.starts_at:
        raise InvalidInput("The end has to be later than the start.", pointer="/ends_at")
    if wanted.ends_at <= now:
        raise InvalidInput("This is over already; choose an end in the future.", pointer="/ends_at")


def _rings(
    wanted: Delegation, directory: Directory, chain: tuple[Delegation, ...]
) -> Iterator[tuple[Delegation, ...]]:
    """The chains that lead from the one who stands in back to the person, all holding at one instant.

    Instants are as lines: where each two of them share one, all do.
    """
    for each in directory.delegations_of(chain[-1].to_id):
        if each in chain or not all(each.overlaps(other) for other in chain):
            continue
        longer = (*chain, each)
        if each.to_id == wanted.user_id:
            yield longer
        else:
            yield from _rings(wanted, directory, longer)


def _name(directory: Directory, person_id: UUID) -> str:
    person = directory.person(person_id)
    return person.name if person is not None else "Somebody"


def _span(delegation: Delegation) -> str:
    if delegation.ends_at is None:
        return f"from {dated(delegation.starts_at)} on"
    return f"from {dated(delegation.starts_at)} to {dated(delegation.ends_at)}"

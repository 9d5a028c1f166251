"""Who may be somebody's manager."""

from __future__ import annotations

from uuid import UUID

from domain.approval.directory import Directory
from domain.errors import InvalidInput


def check_manager(person_id: UUID, manager_id: UUID, directory: Directory) -> None:
    """Whether a person, here or new, may have this manager.

    The directory holds the people of the person's organisation, and nobody else.

    Raises:
        InvalidInput: with a sentence, and a pointer to `/manager_id`.
    """
    manager = directory.person(manager_id)
    if manager_id == person_id:
        raise _refused("Nobody is one's own manager; choose somebody else, or leave it out.")
    if manager is None:
        raise _refused("A manager has to be a person of the same organisation.")
    if not manager.active:
        raise _refused(f"{manager.name} is no longer here; choose somebody else.")
    above, names = manager, [manager.name]
    while above.manager_id is not None and len(names) <= len(directory.people):
        upper = directory.person(above.manager_id)
        if upper is None:
            return
        names.append(upper.name)
        if upper.id == person_id:
            way = " → ".join([upper.name, *names])
            raise _refused(f"This would run in a ring ({way}); choose somebody else.")
        above = upper


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, pointer="/manager_id")

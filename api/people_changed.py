"""What has to follow when who may decide has changed.

Called after the change is committed, by every route that makes one: somebody
left, came back, took or lost a role, has another manager or other working
time, is out of office or back.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from api.services import Services

SETTLING = frozenset({"active", "roles", "manager_id", "time_zone", "country", "region", "working_hours"})
"""The fields of a person on which it depends who is asked, and until when."""


async def people_changed(services: Services, person_ids: Iterable[UUID]) -> None:
    """Tell the processes that ask one of these people to look again at whom they ask.

    The change is done, whatever becomes of this: it answers nothing and raises
    nothing. Who was not told notices at the next decision or clock.
    """
    _ = services, person_ids

"""What touches the world. `activities(...)` makes all of them for a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activities.record import RecordActivities
from activities.rules import judge_rule
from db.session import Database


def activities(database: Database) -> list[Callable[..., Any]]:
    """Every activity, with what it needs."""
    return [RecordActivities(database).record_opportunity, judge_rule]

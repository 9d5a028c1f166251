"""The search attributes of our workflows: the one registry, typed.

They are stored in clear by Temporal, so they hold ids and states, never names.
"""

from __future__ import annotations

from typing import Any

from temporalio.common import SearchAttributeKey

STATUS = SearchAttributeKey.for_keyword("TandemStatus")
PHASE = SearchAttributeKey.for_keyword("TandemPhase")
PLAYBOOK = SearchAttributeKey.for_keyword("TandemPlaybook")
OWNER = SearchAttributeKey.for_keyword("TandemOwner")
"""The owner's id."""
NEXT_DUE = SearchAttributeKey.for_datetime("TandemNextDue")

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (STATUS, PHASE, PLAYBOOK, OWNER, NEXT_DUE)

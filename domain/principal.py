"""Who asks, and what they may do.

A `Principal` is the one thing that routes, lists and commands take to know who
is there. An `Actor` is the part of it that an event keeps for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from domain.value import Value


class Side(StrEnum):
    """The two sides of a co-sell deal."""

    VENDOR = "vendor"
    PARTNER = "partner"


THE_VENDOR = "the vendor"
"""Who holds what a partner waits for, as a partner is told it: not which of the vendor's people or steps."""


class Role(StrEnum):
    """What a person does. A person of a side has roles of that side only."""

    SALES_REP = "sales_rep"
    DEAL_DESK = "deal_desk"
    FINANCE = "finance"
    SALES_DIRECTOR = "sales_director"
    CUSTOMER_SUCCESS = "customer_success"
    ADMIN = "admin"
    PARTNER_SELLER = "partner_seller"
    PARTNER_ADMIN = "partner_admin"

    @property
    def side(self) -> Side:
        return Side.PARTNER if self.value.startswith("partner_") else Side.VENDOR


class Actor(Value):
    """Who did something, as the timeline keeps it: on the partner side the organisation is the partner."""

    id: UUID | None
    name: str
    side: Side | None
    organisation_id: UUID | None = None
    organisation: str | None = None
    roles: tuple[Role, ...] = ()

    def may(self, action: Action) -> bool:
        """Whether the roles allow it; what happens by itself is always allowed."""
        return self.is_system or action in allowed(self.roles)

    @property
    def is_system(self) -> bool:
        return self.id is None


SYSTEM = Actor(id=None, name="Tandem", side=None)
"""The clock and the playbook: what happens by itself."""


class Action(StrEnum):
    """What a principal may do at all; whether a given deal allows it is the deal's own rule."""

    OPEN_OPPORTUNITY = "opportunity.open"
    WORK_TASKS = "opportunity.work_tasks"
    NOTE = "opportunity.note"
    ADVANCE = "opportunity.advance"
    MANAGE_OPPORTUNITY = "opportunity.manage"  # change, move, hold, resume, win, lose, reopen, partners
    EDIT_LINES = "opportunity.edit_lines"
    SET_COST = "opportunity.set_cost"
    ASK_DISCOUNT = "discount.ask"
    ACCEPT_HANDOFF = "handoff.accept"
    MANAGE_PARTNERS = "partner.manage"
    MANAGE_ACCOUNTS = "account.manage"
    MANAGE_USERS = "user.manage"
    MANAGE_OWN_TEAM = "user.manage_own_organisation"
    PUBLISH_PLAYBOOKS = "playbook.publish"
    PUBLISH_POLICIES = "policy.publish"
    READ_POLICIES = "policy.read"
    MANAGE_PRODUCTS = "product.manage"
    MANAGE_RATES = "exchange_rate.manage"
    MANAGE_OWN_KEYS = "key.manage_own"
    MANAGE_NOTICES = "notice.manage"


_SELLING = frozenset(
    {
        Action.OPEN_OPPORTUNITY,
        Action.WORK_TASKS,
        Action.NOTE,
        Action.ADVANCE,
        Action.MANAGE_OPPORTUNITY,
        Action.EDIT_LINES,
        Action.ASK_DISCOUNT,
        Action.READ_POLICIES,
        Action.MANAGE_ACCOUNTS,
        Action.MANAGE_OWN_KEYS,
    }
)
_READING = frozenset({Action.NOTE, Action.READ_POLICIES, Action.MANAGE_OWN_KEYS})
_PARTNER = frozenset(
    {
        Action.OPEN_OPPORTUNITY,
        Action.WORK_TASKS,
        Action.NOTE,
        Action.ADVANCE,
        Action.EDIT_LINES,
        Action.ASK_DISCOUNT,
        Action.MANAGE_OWN_KEYS,
    }
)

GRANTS: dict[Role, frozenset[Action]] = {
    Role.SALES_REP: _SELLING,
    Role.DEAL_DESK: _READING | {Action.SET_COST},
    Role.FINANCE: _READING | {Action.SET_COST},
    Role.SALES_DIRECTOR: _SELLING | {Action.MANAGE_PARTNERS, Action.ACCEPT_HANDOFF, Action.SET_COST},
    Role.CUSTOMER_SUCCESS: _READING | {Action.WORK_TASKS, Action.ACCEPT_HANDOFF},
    Role.ADMIN: frozenset(Action) - {Action.MANAGE_OWN_TEAM},
    Role.PARTNER_SELLER: _PARTNER,
    Role.PARTNER_ADMIN: _PARTNER | {Action.MANAGE_OWN_TEAM},
}
"""What each role may do. The union over a person's roles is what the person may do."""


def allowed(roles: Iterable[Role]) -> frozenset[Action]:
    """What somebody with these roles may do."""
    return frozenset().union(*(GRANTS[role] for role in roles))


class Principal(Value):
    """The person (or the person's API key) behind a request."""

    id: UUID
    name: str
    email: str
    side: Side
    organisation_id: UUID
    organisation: str
    roles: frozenset[Role]

    def may(self, action: Action) -> bool:
        return action in allowed(self.roles)

    @property
    def partner_id(self) -> UUID | None:
        """The partner whose deals are all this principal sees; None sees every deal (the vendor)."""
        return self.organisation_id if self.side is Side.PARTNER else None

    @property
    def actor(self) -> Actor:
        return Actor(
            id=self.id,
            name=self.name,
            side=self.side,
            organisation_id=self.organisation_id,
            organisation=self.organisation,
            roles=tuple(sorted(self.roles)),
        )

"""Whom a request's steps can name: of a large vendor's directory, no more is read to find out who decides.

Who manages whom, and who stands in for those named, is looked up from here on: see `db.directory`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from domain.approval.policy import FINAL_BACKUP, ApproverRule, StepTemplate
from domain.approval.resolve import Judge, Resolving, addresses
from domain.principal import Role


@dataclass(frozen=True, slots=True)
class Named:
    """Everybody of these roles, at these addresses (in small letters) and with these ids.

    `below` is the requester, where a step asks whoever manages that person.
    """

    roles: frozenset[Role] = frozenset()
    emails: frozenset[str] = frozenset()
    ids: frozenset[UUID] = frozenset()
    below: UUID | None = None


def named(request: Resolving, judge: Judge, templates: Iterable[StepTemplate] = ()) -> Named:
    """Whom the wanted steps, or these templates, can ask at any of their levels."""
    steps = (*templates, *(want.template for want in request.wants))
    rules = {rule: None for step in steps for rule in _rules(step, request)}
    found = [addresses(rule.rule, request.facts, judge) for rule in rules if rule.rule is not None]
    found.append([rule.person for rule in rules if rule.person is not None])
    handed = [each for want in request.wants for each in want.handed]
    return Named(
        roles=frozenset(rule.role for rule in rules if rule.role is not None),
        emails=frozenset(address.lower() for each in found for address in each),
        ids=frozenset(who for each in handed for who in (each.from_id, each.to.id)),
        below=request.requester_id if any(rule.manager for rule in rules) else None,
    )


def _rules(step: StepTemplate, request: Resolving) -> Iterable[ApproverRule]:
    backup = step.backup or request.backup or FINAL_BACKUP
    return (*step.approvers, *(level.to for level in step.escalate), *backup)

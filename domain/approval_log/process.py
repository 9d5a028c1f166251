"""How an organisation approves, learned from its log, and said as a policy's steps.

What is learned: which roles decide, in which order, which of them have the last word, and
whether a rejection is the end. Which of the roles one request needs is not in such a log
before it has happened (it depends on budgets and departments that are left out), so that
it is taken as a fact of each submission: its *route*. Everything else is left to the policy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import combinations
from uuid import NAMESPACE_URL, uuid5

from domain.approval import commands as ask
from domain.approval.directory import Directory, PersonEntry
from domain.approval.policy import MAX_STEPS, REQUESTER, PolicyRef, StepTemplate
from domain.approval.resolve import Judge, fired
from domain.approval.state import Facts, Subject
from domain.approval_log.reading import (
    APPROVED,
    FINAL_APPROVED,
    FOR_APPROVAL,
    REJECTED,
    SAVED,
    SUBMITTED,
    SYSTEM_ROLES,
    VERDICTS,
    History,
    LogEvent,
    rounds,
)
from domain.principal import Actor, Role, Side

USUAL_ORDER = ("PRE APPROVER", "ADMINISTRATION", "BUDGET OWNER", "SUPERVISOR", "DIRECTOR")
"""Who comes after whom, where a log does not say otherwise."""

EMPLOYEE = "EMPLOYEE"
DUE = "14d"
"""Time for each step. The logs name none; it only sets when Tandem would remind and escalate."""

LIFE = timedelta(days=365 * 50)
"""How long a request lives: the logs know no expiry."""

_ORGANISATION = uuid5(NAMESPACE_URL, "tandem:approval-log")


def _person(key: str, name: str, *roles: Role) -> PersonEntry:
    return PersonEntry(
        id=uuid5(_ORGANISATION, key),
        name=name,
        email=f"{key}@log.example",
        roles=roles,
        organisation_id=_ORGANISATION,
    )


ASKER = _person(REQUESTER, "The requester")
BACKUP = _person("backup", "The final backup", Role.ADMIN)


def actor(person: PersonEntry) -> Actor:
    """The person as one who acts."""
    return Actor(id=person.id, name=person.name, side=Side.VENDOR, organisation_id=person.organisation_id)


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides in one role, and what they ask of the approval when they do."""

    person: PersonEntry
    approves: ask.Request
    rejects: ask.Request


@dataclass(frozen=True)
class Process:
    """How one kind of document is approved. `roles` are in order; `keys` are their steps, by role."""

    document: str
    roles: tuple[str, ...]
    keys: dict[str, str]
    last_words: tuple[str, ...]
    """The roles whose approval is final where they give it; the most frequent first."""
    requesters: frozenset[str]
    rejections_return: bool
    """What an approver rejects goes back to the requester, who may submit it again."""
    against_usual: tuple[tuple[str, str], ...] = ()
    """Roles that this log has the other way round: (earlier here, earlier usually)."""

    @property
    def closer(self) -> str | None:
        """Who decides last on every request that nobody else closes."""
        return self.last_words[0] if self.last_words else None

    @cached_property
    def templates(self) -> tuple[StepTemplate, ...]:
        """The policy: one step for each role, each after the one before it."""
        keys = [self.keys[role] for role in self.roles]
        return tuple(
            StepTemplate.model_validate(
                {
                    "key": key,
                    "title": role.capitalize()[:120],
                    "when": self._when(role),
                    "after": keys[max(index - 1, 0) : index],
                    "approvers": ({"person": self.deciders[role].person.email},),
                    "due": DUE,
                }
            )
            for index, (role, key) in enumerate(zip(self.roles, keys, strict=True))
        )

    @cached_property
    def submission(self) -> ask.Submit:
        """What each submission has in common."""
        return ask.Submit(
            id=ASKER.id,
            subject=Subject(kind="log", title=self.document),
            policy=PolicyRef(key="log", version=1),
            steps=self.templates,
            fired=(),
            expires_at=datetime.min.replace(tzinfo=UTC),
        )

    def fired(self, facts: Facts, judge: Judge) -> tuple[str, ...]:
        """The steps that a submission with these facts needs; each route is judged once."""
        route = tuple(facts["request"]["route"])
        if route not in self._fired:
            self._fired[route] = fired(self.templates, facts, judge)
        return self._fired[route]

    @cached_property
    def _fired(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {}

    def _when(self, role: str) -> str | None:
        """A step is needed where the request's route has it; the closer's also where no other closes it."""
        routed = f"'{self.keys[role]}' in request.route"
        if role != self.closer:
            return routed
        others = [f"!('{self.keys[other]}' in request.route)" for other in self.last_words[1:]]
        return f"{routed} || ({' && '.join(others)})" if others else None

    @cached_property
    def directory(self) -> Directory:
        """One person for each role, whoever asks, and the final backup."""
        return Directory(people=(*(each.person for each in self.deciders.values()), ASKER, BACKUP))

    @cached_property
    def deciders(self) -> dict[str, Decider]:
        """Who decides, by role."""
        return {role: self._decider(role, key) for role, key in self.keys.items()}

    def _decider(self, role: str, key: str) -> Decider:
        person = _person(key, f"The {role.lower()}")
        against = ask.Return if self.rejections_return else ask.Reject
        return Decider(
            person=person,
            approves=ask.Request(command=ask.Approve(), by=actor(person)),
            rejects=ask.Request(command=against(comment="The log gives no words."), by=actor(person)),
        )

    def role_of(self, key: str) -> str:
        """The role whose step has this key."""
        return next(role for role, known in self.keys.items() if known == key)

    def facts(self, submission: Sequence[LogEvent]) -> Facts:
        """What is known of a submission: the document, and the roles that it was routed to."""
        roles = {event.role for event in submission if event.act in VERDICTS or event.act == FOR_APPROVAL}
        route = [self.keys[role] for role in self.roles if role in roles]
        return {"request": {"document": self.document, "route": route}}


def learn(document: str, log: Sequence[History]) -> Process:
    """The process by which these documents, all of one kind, were approved."""
    did = Counter((event.role, event.act) for history in log for event in history)
    requesters = _requesters(did)
    approving = _approving(did, requesters)
    roles = _in_order(approving, _before(log, frozenset(approving)))
    closing = [role for role in roles if did[role, FINAL_APPROVED] > did[role, APPROVED]] or [*roles[-1:]]
    usual = [pair for pair in combinations(USUAL_ORDER, 2) if pair[0] in roles and pair[1] in roles]
    return Process(
        document=document,
        roles=roles,
        keys=_keys(roles),
        last_words=tuple(sorted(closing, key=lambda role: -did[role, FINAL_APPROVED])),
        requesters=requesters,
        rejections_return=_rejections_return(log, frozenset(roles), requesters),
        against_usual=tuple((b, a) for a, b in usual if roles.index(b) < roles.index(a)),
    )


def _requesters(did: Counter[tuple[str, str]]) -> frozenset[str]:
    """The roles that ask more often than they approve."""
    roles = {role for role, _ in did} - SYSTEM_ROLES
    asking = {
        role
        for role in roles
        if did[role, SAVED] + did[role, SUBMITTED] > did[role, APPROVED] + did[role, FINAL_APPROVED]
    }
    return frozenset(asking | {EMPLOYEE})


def _approving(did: Counter[tuple[str, str]], requesters: frozenset[str]) -> list[str]:
    """The roles that decide, the busiest first; no more than a policy has steps."""
    busy: Counter[str] = Counter()
    for (role, act), times in did.items():
        if act in VERDICTS and role not in SYSTEM_ROLES and role not in requesters:
            busy[role] += times
    return [role for role, _ in busy.most_common(MAX_STEPS)]


def _before(log: Iterable[History], roles: frozenset[str]) -> Counter[tuple[str, str]]:
    """How often one role decided before another in the same round."""
    found: Counter[tuple[str, str]] = Counter()
    for history in log:
        for submission in rounds(history):
            acted = (each.role for each in submission if each.role in roles and each.act in VERDICTS)
            found.update(combinations(dict.fromkeys(acted), 2))
    return found


def _in_order(roles: Iterable[str], before: Counter[tuple[str, str]]) -> tuple[str, ...]:
    """The roles by who mostly comes first; the usual order where the log says nothing, or runs in a ring."""
    left = sorted(roles, key=lambda role: (_usual(role), role))
    ordered: list[str] = []
    while left:
        free = [b for b in left if not any(before[a, b] > before[b, a] for a in left if a != b)]
        ordered.append((free or left)[0])
        left.remove(ordered[-1])
    return tuple(ordered)


def _usual(role: str) -> int:
    return USUAL_ORDER.index(role) if role in USUAL_ORDER else len(USUAL_ORDER)


def _keys(roles: Sequence[str]) -> dict[str, str]:
    """A step's key for each role, each once."""
    keys: dict[str, str] = {}
    for number, role in enumerate(roles, start=1):
        key = re.sub(r"[^a-z0-9]+", "-", role.lower())[:40].strip("-")
        if (
            not key[:1].isalpha()
            or key in (REQUESTER, BACKUP.email.partition("@")[0])
            or key in keys.values()
        ):
            key = f"role-{number}-{key}".strip("-")
        keys[role] = key
    return keys


def _rejections_return(log: Iterable[History], roles: frozenset[str], requesters: frozenset[str]) -> bool:
    """Whether most of what approvers reject is then taken up by who asked."""
    rejected = answered = 0
    for history in log:
        for index, event in enumerate(history):
            if event.act == REJECTED and event.role in roles:
                rejected += 1
                answered += any(later.role in requesters for later in history[index + 1 :])
    return 2 * answered >= rejected

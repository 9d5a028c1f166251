"""Whom a request's steps can name: whoever is left out of the directory changes no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.approval.naming import Named, named
from domain.approval.policy import StepTemplate
from domain.approval.resolve import Resolving, Want, resolve
from domain.approval.state import HandedSeat
from domain.opportunity.state import Person
from domain.principal import Role
from tests.approvals import DESK, DIANA, DORA, MONDAY, RITA, judge, person, step

ROLES = [Role.DEAL_DESK, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN, Role.SALES_REP]
OFFICE = 5
"""People in the office that hypothesis makes up."""


def asked(*wants: Want, **more: object) -> Resolving:
    request = {"wants": wants, "facts": {}, "askers": (RITA.id,), "requester_id": RITA.id, "at": MONDAY}
    return Resolving.model_validate({**request, **more})


def only(directory: Directory, wanted: Named) -> Directory:
    """The directory without whom the names do not lead to, as `db.directory` reads it."""
    first = [
        each
        for each in directory.people
        if each.id in wanted.ids or each.email.lower() in wanted.emails or wanted.roles & set(each.roles)
    ]
    reached = {each.id for each in first}
    led: set[UUID] = set()
    above = directory.person(wanted.below) if wanted.below else None
    while above is not None and above.id not in led:
        led.add(above.id)
        above = directory.person(above.manager_id) if above.manager_id else None
    reached |= led
    while more := {each.to_id for each in directory.delegations if each.user_id in reached} - reached:
        reached |= more
    return replace(
        directory,
        people=tuple(each for each in directory.people if each.id in reached),
        delegations=tuple(each for each in directory.delegations if each.user_id in reached),
    )


def test_every_way_to_name_somebody_counts_at_every_level() -> None:
    template = step(
        "desk",
        {"role": "deal_desk"},
        {"person": "FRED@vendor.example"},
        {"rule": "['Dirk@vendor.example', 7]"},
        escalate=[{"to": {"manager": True}}],
        backup=[{"role": "admin"}],
    )
    seat = HandedSeat(from_id=DORA.id, to=Person(id=DIANA.id, name="Diana"))
    found = named(asked(Want(template=template, handed=(seat,))), judge)
    assert found == Named(
        roles=frozenset({Role.DEAL_DESK, Role.ADMIN}),
        emails=frozenset({"fred@vendor.example", "dirk@vendor.example"}),
        ids=frozenset({DORA.id, DIANA.id}),
        below=RITA.id,
    )


def test_without_a_backup_of_its_own_a_step_has_that_of_the_request_or_the_last_of_all() -> None:
    assert named(asked(), judge, [DESK]).roles == {Role.DEAL_DESK, Role.SALES_DIRECTOR, Role.ADMIN}
    own = asked(backup=({"role": "finance"},))
    assert named(own, judge, [DESK]).roles == {Role.DEAL_DESK, Role.SALES_DIRECTOR, Role.FINANCE}
    assert named(own, judge, [DESK]).below is None


@st.composite
def offices(draw: st.DrawFn) -> Directory:
    people: list[PersonEntry] = [RITA]
    ids = [UUID(int=300 + number) for number in range(OFFICE)]
    for number, id_ in enumerate(ids):
        above = draw(st.sampled_from([None, RITA.id, *ids]))
        roles = draw(st.lists(st.sampled_from(ROLES), max_size=2, unique=True))
        entry = person(number, f"P{number}", *roles, active=draw(st.booleans()), manager_id=above)
        people.append(entry.model_copy(update={"id": id_}))
    people[0] = RITA.model_copy(update={"manager_id": draw(st.sampled_from([None, *ids]))})
    pairs = st.tuples(st.sampled_from(ids), st.sampled_from(ids), st.integers(-3, 3), st.integers(1, 4))
    away = tuple(
        Delegation(
            user_id=who,
            to_id=to,
            starts_at=MONDAY + timedelta(days=since),
            ends_at=MONDAY + timedelta(days=since + days),
        )
        for who, to, since, days in draw(st.lists(pairs, max_size=5))
        if who != to
    )
    return Directory(people=tuple(people), delegations=away)


RULES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"role": role.value} for role in ROLES]
    + [{"person": f"p{number}@vendor.example"} for number in range(2)]
    + [{"manager": True}, {"rule": "['p3@vendor.example', 'P4@vendor.example']"}, {"rule": "nothing there"}]
)


@st.composite
def templates(draw: st.DrawFn) -> StepTemplate:
    return step(
        "desk",
        *draw(st.lists(RULES, min_size=1, max_size=3)),
        needs=draw(st.sampled_from(["one", "all"])),
        escalate=[{"to": rule} for rule in draw(st.lists(RULES, max_size=2))],
        backup=draw(st.none() | st.lists(RULES, min_size=1, max_size=2)),
    )


# Making people up takes long on a busy machine.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(offices(), templates(), st.integers(0, 3), st.booleans())
def test_what_is_left_out_changes_no_answer(
    office: Directory, template: StepTemplate, level: int, handed: bool
) -> None:
    seats = [
        HandedSeat(from_id=office.people[1].id, to=Person(id=office.people[2].id, name="P1")),
    ]
    want = Want(template=template, level=level, handed=tuple(seats if handed else ()))
    request = asked(want)
    assert resolve(request, only(office, named(request, failing)), failing) == resolve(
        request, office, failing
    )


def failing(expression: str, facts: dict[str, object]) -> object:
    """The judge, who says of what is no expression what CEL says."""
    return judge(expression, facts) if expression.startswith("[") else []

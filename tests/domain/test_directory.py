"""Who can be asked, who manages whom, who stands in for whom, and what a delegation may be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.approval.delegation import check_delegation
from domain.approval.directory import Delegation, Directory, PersonEntry
from domain.approval.management import check_manager
from domain.errors import InvalidInput
from domain.principal import Role
from tests.factories import ASTER, NOW, VENDOR_ID, an_id

DAY = timedelta(days=1)
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva")


def somebody(number: int, **more: Any) -> PersonEntry:
    name = NAMES[number - 1]
    known: dict[str, Any] = {"organisation_id": VENDOR_ID, "email": f"{name.lower()}@vendor.example", **more}
    return PersonEntry(id=an_id(number), name=name, **known)


def away(number: int, to: int, first: float = -1, last: float | None = 7) -> Delegation:
    """From so many days after now to so many; without end where `last` is None."""
    ends = NOW + last * DAY if last is not None else None
    return Delegation(user_id=an_id(number), to_id=an_id(to), starts_at=NOW + first * DAY, ends_at=ends)


def directory(*delegations: Delegation, **more: Any) -> Directory:
    people = tuple(more.get(name) or somebody(number) for number, name in enumerate(map(str.lower, NAMES), 1))
    return Directory(people=people, delegations=delegations)


# --- who there is ---


def test_people_are_found_by_id_address_and_role() -> None:
    ana, ben = somebody(1, roles=(Role.DEAL_DESK,)), somebody(2, roles=(Role.DEAL_DESK,), active=False)
    known = directory(ana=ana, ben=ben)
    assert known.person(an_id(1)) == ana
    assert known.person(an_id(99)) is None
    assert known.by_email("ANA@vendor.example") == ana
    assert known.by_email("nobody@vendor.example") is None
    assert known.with_role(Role.DEAL_DESK) == (ana,), "who has left has no role to fill"


def test_the_nearest_manager_who_is_here_is_the_manager() -> None:
    ana, ben = somebody(1, manager_id=an_id(2)), somebody(2, manager_id=an_id(3), active=False)
    known = directory(ana=ana, ben=ben)
    assert known.manager_of(ana.id) == somebody(3)
    assert known.manager_of(an_id(3)) is None
    assert known.manager_of(an_id(99)) is None


def test_managers_in_a_ring_and_managers_who_are_gone_are_no_managers() -> None:
    ana = somebody(1, manager_id=an_id(2), active=False)
    ben = somebody(2, manager_id=an_id(1), active=False)
    cleo = somebody(3, manager_id=an_id(99))
    known = directory(ana=ana, ben=ben, cleo=cleo)
    assert known.manager_of(ana.id) is None
    assert known.manager_of(cleo.id) is None


def test_a_manager_is_an_active_colleague() -> None:
    known = directory(ben=somebody(2, manager_id=an_id(3)), cleo=somebody(3, manager_id=an_id(99)))
    check_manager(an_id(1), an_id(2), known)
    check_manager(an_id(77), an_id(4), known)


@pytest.mark.parametrize(
    ("manager", "sentence"),
    [
        (1, "Nobody is one's own manager; choose somebody else, or leave it out."),
        (99, "A manager has to be a person of the same organisation."),
        (4, "Dan is no longer here; choose somebody else."),
        (2, "This would run in a ring (Ana → Ben → Cleo → Ana); choose somebody else."),
    ],
)
def test_a_manager_that_makes_no_sense_is_refused_in_words(manager: int, sentence: str) -> None:
    ben, cleo = somebody(2, manager_id=an_id(3)), somebody(3, manager_id=an_id(1))
    known = directory(ben=ben, cleo=cleo, dan=somebody(4, active=False))
    with pytest.raises(InvalidInput) as refused:
        check_manager(an_id(1), an_id(manager), known)
    assert refused.value.extra["errors"] == [{"pointer": "/manager_id", "detail": sentence}]


def test_managers_in_a_ring_are_walked_once() -> None:
    ben, cleo = somebody(2, manager_id=an_id(3)), somebody(3, manager_id=an_id(2))
    check_manager(an_id(1), an_id(2), directory(ben=ben, cleo=cleo))


# --- who stands in ---


def test_nobody_stands_in_for_who_is_there() -> None:
    assert directory().stand_in(an_id(1), NOW) is None
    assert directory(away(2, 1)).stand_in(an_id(1), NOW) is None


@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [(-1, 1, True), (0, 1, True), (-1, 0, False), (1, 2, False), (-1, None, True), (1, None, False)],
)
def test_a_delegation_holds_from_its_start_until_before_its_end(
    first: int, last: int | None, *, holds: bool
) -> None:
    found = directory(away(1, 2, first, last)).stand_in(an_id(1), NOW)
    expected = (an_id(2), NOW + last * DAY if last is not None else None)
    assert found == (expected if holds else None)


def test_a_chain_is_followed_to_its_end_and_says_until_when_the_first_is_away() -> None:
    known = directory(away(1, 2, last=3), away(2, 3, last=1), away(3, 4, first=1))
    assert known.stand_in(an_id(1), NOW) == (an_id(3), NOW + 3 * DAY)
    assert known.stand_in(an_id(1), NOW + 2 * DAY) == (an_id(2), NOW + 3 * DAY)


@pytest.mark.parametrize("rings", [[(1, 2), (2, 1)], [(1, 2), (2, 3), (3, 2)], [(1, 2), (2, 3), (3, 1)]])
def test_in_a_ring_nobody_stands_in(rings: list[tuple[int, int]]) -> None:
    known = directory(*(away(who, to) for who, to in rings))
    for who, _ in rings:
        assert known.stand_in(an_id(who), NOW) is None


def test_a_chain_stops_at_the_last_who_may_decide() -> None:
    gone = somebody(3, active=False)
    known = directory(away(1, 2), away(2, 3), cleo=gone)
    assert known.stand_in(an_id(1), NOW) == (an_id(2), NOW + 7 * DAY)
    assert known.stand_in(an_id(2), NOW) is None, "she stays, since nobody else is there"
    onward = directory(away(1, 3), away(3, 4), cleo=gone)
    assert onward.stand_in(an_id(1), NOW) == (an_id(4), NOW + 7 * DAY)
    assert directory(away(1, 99)).stand_in(an_id(1), NOW) is None


def test_who_is_barred_never_stands_in() -> None:
    known = directory(away(1, 2), away(2, 3))
    assert known.stand_in(an_id(1), NOW, {an_id(3)}) == (an_id(2), NOW + 7 * DAY)
    assert known.stand_in(an_id(1), NOW, {an_id(2)}) == (an_id(3), NOW + 7 * DAY)
    assert known.stand_in(an_id(1), NOW, {an_id(2), an_id(3)}) is None


def test_the_next_change_is_that_of_anybody_in_the_chain() -> None:
    known = directory(
        away(1, 2, last=9), away(2, 3, first=2, last=4), away(5, 4, first=1), away(2, 1, 20, None)
    )
    assert known.next_change([an_id(1)], NOW) == NOW + 2 * DAY
    assert known.next_change([an_id(1)], NOW + 2 * DAY) == NOW + 4 * DAY
    assert known.next_change([an_id(1)], NOW + 9 * DAY) == NOW + 20 * DAY
    assert known.next_change([an_id(1)], NOW + 20 * DAY) is None
    assert known.next_change([an_id(4)], NOW) is None


links = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(-3, 2), st.integers(1, 4) | st.none())


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    people = tuple(somebody(number, active=draw(st.booleans())) for number in range(1, 6))
    found = [
        away(who, to, first, None if length is None else first + length)
        for who, to, first, length in draw(st.lists(links, max_size=8))
    ]
    return Directory(people, tuple(found))


@settings(deadline=None)
@given(directories(), st.integers(1, 5), st.integers(-4, 7), st.sets(st.integers(1, 5).map(an_id)))
def test_whoever_stands_in_is_another_who_may(known: Directory, who: int, day: int, barred: set[Any]) -> None:
    at = NOW + day * DAY
    found = known.stand_in(an_id(who), at, barred)
    if found is not None:
        other = known.person(found.person_id)
        assert other is not None
        assert other.active
        assert other.id != an_id(who)
        assert other.id not in barred
        assert found.until is None or found.until > at
    change = known.next_change([an_id(who)], at)
    for later in range(day, 10):
        if change is None or NOW + later * DAY < change:
            assert known.stand_in(an_id(who), NOW + later * DAY, barred) == found


@settings(deadline=None)
@given(st.lists(links, max_size=10))
def test_delegations_that_were_let_in_never_end_in_a_ring(wanted: list[Any]) -> None:
    known = directory()
    for who, to, first, length in wanted:
        ends = None if length is None else first + length
        asked = away(who, to, first, ends)
        with suppress(InvalidInput):
            check_delegation(asked, known, NOW)
            known = replace(known, delegations=(*known.delegations, asked))
    for day in range(-4, 8):
        for number in range(1, 6):
            at = NOW + day * DAY
            gone = any(each.holds(at) for each in known.delegations_of(an_id(number)))
            assert (known.stand_in(an_id(number), at) is not None) == gone


# --- what a delegation may be ---


def test_a_delegation_to_a_colleague_is_fine() -> None:
    check_delegation(away(1, 2), directory(), NOW)
    check_delegation(away(1, 2, 0, None), directory(away(1, 3, -5, 0), away(3, 1)), NOW)


@pytest.mark.parametrize(
    ("wanted", "pointer", "sentence"),
    [
        (away(1, 1), "/to", "Nobody stands in for oneself; choose somebody else."),
        (away(1, 99), "/to", "Somebody of the same organisation has to stand in."),
        (away(1, 4), "/to", "Somebody of the same organisation has to stand in."),
        (away(1, 5), "/to", "Eva is no longer here; choose somebody else."),
        (away(99, 1), "/user_id", "There is no such active person."),
        (away(5, 1), "/user_id", "There is no such active person."),
        (away(1, 2, 1, 1), "/ends_at", "The end has to be later than the start."),
        (away(1, 2, 2, 1), "/ends_at", "The end has to be later than the start."),
        (away(1, 2, -2, 0), "/ends_at", "This is over already; choose an end in the future."),
        (
            away(3, 1, 3, 9),
            "/starts_at",
            "Ben stands in from 1 March 2027 to 5 March 2027 already; end that first, or choose other dates.",
        ),
        (
            away(2, 1, 30, None),
            "/starts_at",
            "Cleo stands in from 21 March 2027 on already; end that first, or choose other dates.",
        ),
        (
            away(1, 3, 2, 5),
            "/to",
            (
                "This would run in a ring (Ana → Cleo → Ben → Dan → Ana), and nobody would decide; "
                "choose somebody else."
            ),
        ),
    ],
)
def test_a_delegation_that_makes_no_sense_is_refused_in_words(
    wanted: Delegation, pointer: str, sentence: str
) -> None:
    known = directory(
        away(3, 2, 0, 4),
        away(2, 4, 3, 4),
        away(4, 1, 0, None),
        away(2, 3, 20, None),
        dan=somebody(4, organisation_id=VENDOR_ID if "ring" in sentence else ASTER.id),
        eva=somebody(5, active=False),
    )
    with pytest.raises(InvalidInput) as refused:
        check_delegation(wanted, known, NOW)
    assert refused.value.detail == sentence
    assert refused.value.extra["errors"] == [{"pointer": pointer, "detail": sentence}]


def test_a_chain_that_never_holds_at_one_instant_is_no_ring() -> None:
    check_delegation(away(1, 2, 0, 5), directory(away(2, 3, 0, 2), away(3, 1, 2, 5)), NOW)


def test_a_ring_that_is_there_already_does_not_go_on_for_ever() -> None:
    check_delegation(away(1, 2), directory(away(2, 3), away(3, 2)), NOW)


def test_a_name_that_is_not_known_is_somebody() -> None:
    with pytest.raises(InvalidInput, match="Somebody stands in"):
        check_delegation(away(1, 2), directory(away(1, 99)), NOW)


def test_instants_have_their_zone() -> None:
    with pytest.raises(ValueError, match="timezone"):
        Delegation(user_id=an_id(1), to_id=an_id(2), starts_at=datetime(2027, 3, 1))  # noqa: DTZ001 - what is refused
    assert away(1, 2).starts_at.tzinfo is UTC

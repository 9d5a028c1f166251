"""Who may do what at all, whatever the deal."""

from __future__ import annotations

import pytest

from domain.principal import GRANTS, SYSTEM, Action, Role, Side, allowed
from tests.factories import (
    ADMIN,
    ASTER,
    DESK,
    DIRECTOR,
    FINANCE,
    LEAD,
    PARTNER_PEOPLE,
    REP,
    SELLER,
    SUCCESS,
    VENDOR_PEOPLE,
    principal,
)

EVERYBODY = {REP, DESK, FINANCE, DIRECTOR, SUCCESS, ADMIN, SELLER, LEAD}


@pytest.mark.parametrize(
    ("action", "people"),
    [
        (Action.OPEN_OPPORTUNITY, {REP, DIRECTOR, ADMIN, SELLER, LEAD}),
        (Action.WORK_TASKS, {REP, DIRECTOR, ADMIN, SUCCESS, SELLER, LEAD}),
        (Action.NOTE, EVERYBODY),
        (Action.ADVANCE, {REP, DIRECTOR, ADMIN, SELLER, LEAD}),
        (Action.MANAGE_OPPORTUNITY, {REP, DIRECTOR, ADMIN}),
        (Action.ACCEPT_HANDOFF, {DIRECTOR, SUCCESS, ADMIN}),
        (Action.MANAGE_PARTNERS, {DIRECTOR, ADMIN}),
        (Action.MANAGE_ACCOUNTS, {REP, DIRECTOR, ADMIN}),
        (Action.MANAGE_USERS, {ADMIN}),
        (Action.MANAGE_OWN_TEAM, {LEAD}),
        (Action.PUBLISH_PLAYBOOKS, {ADMIN}),
        (Action.MANAGE_OWN_KEYS, EVERYBODY),
    ],
    ids=lambda value: value if isinstance(value, Action) else "",
)
def test_each_action_is_for_these_people_and_for_nobody_else(action, people):
    assert {who for who in EVERYBODY if who.may(action)} == people
    assert {who for who in EVERYBODY if principal(who).may(action)} == people


def test_every_role_and_every_action_is_spoken_of():
    assert set(GRANTS) == set(Role)
    assert set().union(*GRANTS.values()) == set(Action)


def test_several_roles_add_up_and_none_is_nothing():
    assert allowed([Role.FINANCE, Role.PARTNER_ADMIN]) == GRANTS[Role.FINANCE] | GRANTS[Role.PARTNER_ADMIN]
    assert allowed([]) == frozenset()


def test_a_role_belongs_to_one_side():
    assert {role for role in Role if role.side is Side.PARTNER} == {Role.PARTNER_SELLER, Role.PARTNER_ADMIN}


def test_what_happens_by_itself_is_always_allowed():
    assert SYSTEM.is_system
    assert all(SYSTEM.may(action) for action in Action)
    assert not REP.is_system


@pytest.mark.parametrize("who", VENDOR_PEOPLE, ids=lambda who: who.name)
def test_the_vendor_sees_every_deal(who):
    assert principal(who).partner_id is None


@pytest.mark.parametrize("who", PARTNER_PEOPLE, ids=lambda who: who.name)
def test_a_partner_sees_the_deals_of_its_company(who):
    assert principal(who).partner_id == who.organisation_id


def test_the_timeline_keeps_who_somebody_was():
    assert principal(SELLER).actor == SELLER
    assert principal(SELLER).actor.organisation_id == ASTER.id

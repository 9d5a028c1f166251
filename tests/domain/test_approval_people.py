"""Who is asked: rules, four eyes, stand-ins, levels; and never nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.approval import commands as ask
from domain.approval.directory import Directory, PersonEntry
from domain.approval.policy import ApproverRule, StepTemplate
from domain.approval.resolve import Resolving, Want, fired, preview, resolve, steps_of
from domain.approval.rules import to_resolve
from domain.approval.state import ApprovalState, StepState
from domain.errors import Conflict, InvalidInput, NotAnApprover
from domain.principal import Role
from tests.approvals import (
    ADA,
    CHAIN,
    DEAL,
    DESK,
    DIANA,
    DINA,
    DIRK,
    DORA,
    FINANCE,
    FRED,
    LESS,
    MONDAY,
    OFFICE,
    RITA,
    SAM,
    Game,
    away,
    judge,
    names,
    person,
    step,
    without,
)

XENA, DOUG = person(20, "Xena Desk", Role.DEAL_DESK), person(21, "Doug Director", Role.SALES_DIRECTOR)
NOBODY = without(OFFICE, DORA, DIRK, DINA, DIANA, ADA, FRED)


def to(entry: PersonEntry) -> ask.Delegate:
    return ask.Delegate(id=entry.id, name=entry.name, side=entry.side)


def test_whoever_owns_the_deal_by_now_is_not_asked_where_a_colleague_asked():
    game = Game().submit(DESK)
    wanted = to_resolve(game.approval, MONDAY, again=True)
    assert wanted is not None
    assert wanted.owned == DEAL
    for owner, expected in (
        (DORA.id, ["Dirk", "Dina"]),
        (RITA.id, ["Dora", "Dirk", "Dina"]),
        (None, ["Dora", "Dirk", "Dina"]),
    ):
        [found] = resolve(wanted.barring(owner), OFFICE, judge).steps
        assert names(each.name for each in found.approvers) == expected
    partners = to_resolve(Game().submit(DESK, by=SAM).approval, MONDAY, again=True)
    assert partners is not None
    assert partners.owned is None, "a partner asks in its own name"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"role": "deal_desk"}], ["Dora", "Dirk", "Dina"]),
        ([{"person": "FRED@vendor.example"}], ["Fred"]),
        ([{"manager": True}], ["Diana"]),
        ([{"rule": "['dora@vendor.example', 'nobody@vendor.example', 7]"}], ["Dora"]),
        ([{"rule": "people"}], ["Fred", "Dirk"]),
        ([{"role": "finance"}, {"manager": True}, {"person": "fred@vendor.example"}], ["Fred", "Diana"]),
    ],
)
def test_approvers_are_found_by_each_kind_of_rule(rules: list[dict[str, Any]], expected: list[str]):
    facts = {"people": ["fred@vendor.example", "dirk@vendor.example"]}
    assert Game().submit(step("desk", *rules), facts=facts).asked() == expected


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "'dora@vendor.example'"},
        {"rule": "[]"},
        {"person": "nobody@vendor.example"},
        {"person": "sam@partner.example"},
        {"role": "customer_success"},
    ],
)
def test_a_level_that_names_nobody_is_passed_over(rule: dict[str, Any]):
    game = Game().submit(step("desk", rule, escalate=[{"to": {"role": "finance"}}]))
    assert game.asked() == ["Fred"]
    assert game.step().level == 1
    assert game.step().approvers[0].via == "finance"


def test_a_rule_that_cannot_be_judged_names_nobody_and_a_condition_that_cannot_be_judged_holds():
    def failing(expression: str, facts: dict[str, Any]) -> Any:
        raise Conflict("cannot be answered")

    wanted = Want(template=step("desk", {"rule": "broken"}))
    asking = Resolving(wants=(wanted,), facts={}, askers=(), requester_id=None, at=MONDAY)
    found = resolve(asking, OFFICE, failing).steps[0]
    assert names(each.name for each in found.approvers) == ["Diana"], "the backup"
    assert fired([step(when="broken")], {}, failing) == ("desk",)


def test_steps_fire_by_their_rules():
    steps = [step("a", when="x > 1"), step("b", when="x > 5"), step("c")]
    assert fired(steps, {"x": 3}, judge) == ("a", "c")


def test_a_step_after_one_that_is_not_needed_waits_for_what_that_would_have_waited_for():
    chain = (step("a"), step("b", after=("a",)), step("c", after=("b",)), step("d", after=("b", "c")))
    found = steps_of(chain, ["a", "c", "d"])
    assert [(each.key, each.after) for each in found] == [("a", ()), ("c", ("a",)), ("d", ("a", "c"))]


def test_whoever_asked_is_left_out_by_role_by_name_and_as_a_manager():
    game = Game().submit(step("desk", {"role": "deal_desk"}, {"person": DORA.email}), by=DORA)
    assert game.asked() == ["Dirk", "Dina"]
    assert Game().submit(step("desk", {"manager": True}), by=DIANA).asked() == ["Ada"], "the backup's second"


def test_in_whose_name_it_is_asked_is_left_out_as_well():
    person = {"id": DIRK.id, "name": DIRK.name}
    game = Game().submit(DESK, by=DORA, asked_for=person)
    assert game.asked() == ["Dina"]
    assert game.words[0].startswith("Dora Desk asked for 27.5 % on ERP rollout for Dirk Desk: ")


def test_nobody_decides_for_the_requester_by_delegation_and_the_requester_for_nobody():
    office = away(away(OFFICE, DORA, FRED, since=MONDAY), DIRK, DORA, since=MONDAY)
    assert Game(directory=office).submit(DESK, by=DORA).asked() == ["Dina", "Fred"]
    # Dora's own place is nobody's; Dirk is away, and of Dora and Fred behind her only Fred may stand in.
    assert Game(directory=away(OFFICE, FRED, RITA, since=MONDAY)).submit(FINANCE).asked("finance") == ["Fred"]


def test_who_is_away_is_stood_in_for_and_it_is_said_until_when():
    back = MONDAY + timedelta(days=3)
    game = Game(directory=away(OFFICE, FRED, DORA, since=MONDAY, until=back)).submit(FINANCE)
    seat = game.step("finance").approvers[0]
    assert (seat.name, seat.stands_in_for.name, seat.until) == ("Dora Desk", "Fred Finance", back)
    assert "Dora Desk for Fred Finance (away until 5 November 2026)" in game.words[1]
    with pytest.raises(NotAnApprover, match="Dora Desk decides for you; end the delegation"):
        game.approve(FRED)
    game.approve(DORA)
    assert game.words[-2] == "Dora Desk for Fred Finance (away until 5 November 2026) approved (Finance)."


def test_when_the_absence_ends_the_seat_goes_back():
    back = MONDAY + timedelta(hours=3)
    game = Game(directory=away(OFFICE, FRED, DORA, since=MONDAY, until=back)).submit(FINANCE)
    game.pass_time(timedelta(hours=3))
    assert game.asked("finance") == ["Fred"]
    assert game.words[-1] == "Finance: now Fred Finance may decide."


def test_an_absence_that_is_still_to_come_is_noticed_when_it_comes():
    game = Game(directory=away(OFFICE, FRED, DORA, since=MONDAY + timedelta(hours=2))).submit(FINANCE)
    assert game.asked("finance") == ["Fred"]
    game.pass_time(timedelta(hours=2))
    assert game.asked("finance") == ["Dora"]


def test_a_stand_in_who_sits_there_already_gets_no_second_seat():
    game = Game(directory=away(OFFICE, DORA, DIRK, since=MONDAY)).submit(DESK)
    assert game.asked() == ["Dirk", "Dina"]


def test_a_stand_in_who_may_not_decide_leaves_the_seat_where_it_is():
    game = Game(directory=away(OFFICE, FRED, SAM, since=MONDAY)).submit(FINANCE)
    assert game.asked("finance") == ["Fred"]


def test_who_is_away_is_asked_where_too_few_others_are_left():
    office = without(away(OFFICE, DORA, DIRK, since=MONDAY), DINA, DIANA, ADA)
    game = Game(directory=office).submit(step(needs=2))
    assert game.asked() == ["Dirk", "Dora"]


def test_a_number_is_filled_up_from_the_next_levels():
    game = Game(directory=without(OFFICE, DIRK, DINA)).submit(step(needs=2))
    assert game.asked() == ["Dora", "Diana"]
    assert game.step().wanted == 2


def test_all_are_all_who_are_there_as_it_opens():
    game = Game(directory=without(OFFICE, DINA)).submit(step(needs="all"))
    assert (game.asked(), game.step().wanted) == (["Dora", "Dirk"], 2)
    assert game.words[1].endswith("2 have to agree. Rule: always")


def test_a_policys_backup_is_asked_before_the_usual_one_and_a_steps_before_that():
    backup = (ApproverRule(role=Role.FINANCE),)
    empty = step("desk", {"role": "customer_success"})
    assert Game().submit(empty, backup=backup).asked() == ["Fred"]
    own = step("desk", {"role": "customer_success"}, backup=[{"person": ADA.email}])
    assert Game().submit(own, backup=backup).asked() == ["Ada"]


def test_where_nobody_may_decide_it_goes_back_and_says_so():
    game = Game(directory=NOBODY).submit(DESK)
    assert game.state is ApprovalState.RETURNED
    assert game.approval.returned.by.is_system
    assert "Nobody who may decide on Desk is left" in game.words[-1]
    assert game.step().state is StepState.SKIPPED


def test_two_steps_of_which_one_can_be_decided_by_nobody_go_back_together():
    office = without(OFFICE, FRED, DIANA, ADA)
    game = Game(directory=office).submit(step("finance", {"role": "finance"}), DESK)
    assert game.state is ApprovalState.RETURNED
    assert [each.state for each in game.approval.steps] == [StepState.SKIPPED, StepState.SKIPPED]


def test_who_leaves_is_replaced_from_the_next_level_at_once():
    game = Game().submit(FINANCE).people_change(without(OFFICE, FRED))
    assert game.asked("finance") == ["Diana"]
    assert game.words[-1] == "Finance: now Diana Director may decide."
    assert [alarm.done for alarm in game.step("finance").alarms if alarm.level == 1] == [True]
    game.people_change(game.directory)
    assert game.words[-1] == "Finance: now Diana Director may decide.", "the same again is no news"


def test_who_comes_may_decide_as_well():
    game = Game(directory=without(OFFICE, DINA)).submit(DESK).people_change(OFFICE)
    assert game.asked() == ["Dora", "Dirk", "Dina"]


@pytest.mark.parametrize("when", ["before the offer", "with the offer"])
@pytest.mark.parametrize(("leave", "asked"), [((DINA, XENA), ["Diana", "Ada"]), ((DINA,), ["Xena", "Diana"])])
def test_as_many_agree_to_an_offer_as_were_asked_whoever_left(
    when: str, leave: tuple[PersonEntry, ...], asked: list[str]
):
    office = replace(OFFICE, people=(*OFFICE.people, XENA))
    ladder = [{"to": {"role": "sales_director"}}]
    game = Game(directory=office).submit(step(needs="all", escalate=ladder)).approve(DIRK)
    if when == "before the offer":
        game.people_change(without(office, *leave))
    game.ask(LESS, DORA)
    game.people_change(without(office, *leave))
    game.ask(ask.Accept(), RITA)
    assert (game.state, game.step().wanted, game.asked()) == (ApprovalState.PENDING, 4, asked)
    assert game.step().due_at is not None
    last = [each for each in game.directory.people if each.name.split()[0] in asked]
    assert game.approve(*last).state is ApprovalState.APPROVED


def test_who_comes_or_is_asked_later_makes_an_offer_no_harder_to_take():
    game = Game().submit(DESK.but(needs="all")).approve(DORA).pass_time(timedelta(days=1))
    assert game.asked() == ["Dirk", "Dina", "Diana"]
    game.ask(LESS, DIANA).people_change(replace(OFFICE, people=(*OFFICE.people, XENA)))
    game.ask(ask.Accept(), RITA)
    assert (game.step().wanted, game.asked()) == (3, ["Dirk", "Dina", "Xena"])
    assert game.approve(DINA).state is ApprovalState.APPROVED


def test_the_backup_is_whoever_is_left_of_it():
    ask_directors = step("desk", {"role": "sales_director"}, needs="all")
    office = replace(OFFICE, people=(*OFFICE.people, DOUG))
    game = Game(directory=office).submit(ask_directors).approve(DIANA)
    game.people_change(without(office, DOUG))
    assert (game.state, game.asked()) == (ApprovalState.PENDING, ["Ada"]), "Diana, a director, has agreed"


def test_a_step_that_waits_for_nobody_any_more_finds_somebody():
    """As requests stand for which this was reckoned otherwise."""
    template = step(needs="all")
    decided = (DORA.id, DIRK.id)
    wants = (Want(template=template, wanted=2, approvals=2, decided=decided),)
    asked = Resolving(wants=wants, facts={}, askers=(), requester_id=None, at=MONDAY)
    [found] = resolve(asked, without(OFFICE, DINA), judge).steps
    assert (found.enough, names(each.name for each in found.approvers)) == (True, ["Diana"])


def test_nobody_is_put_in_the_place_of_somebody_for_whom_was_decided():
    back = MONDAY + timedelta(hours=1)
    office = away(OFFICE, DORA, FRED, since=MONDAY, until=back)
    game = Game(directory=office).submit(step(needs=2)).approve(FRED)
    game.pass_time(timedelta(hours=2))
    assert game.asked() == ["Dirk", "Dina"], "Dora's voice was Fred's"


def test_a_seat_is_given_to_a_colleague_until_it_comes_back():
    until = MONDAY + timedelta(hours=2)
    game = Game().submit(FINANCE).ask(ask.DelegateSeat(to=to(ADA), until=until), FRED)
    assert game.asked("finance") == ["Ada"]
    assert game.words[-1] == "Fred Finance gave the decision to Ada Admin until 2 November 2026 (Finance)."
    game.pass_time(timedelta(hours=3))
    assert game.asked("finance") == ["Fred"]


def test_a_seat_may_be_given_on():
    game = Game().submit(FINANCE)
    game.ask(ask.DelegateSeat(to=to(ADA)), FRED).ask(ask.DelegateSeat(to=to(DORA), step="finance"), ADA)
    assert game.asked("finance") == ["Dora"]
    assert game.step("finance").approvers[0].stands_in_for.name == "Fred Finance"
    game.approve(DORA)
    assert game.state is ApprovalState.APPROVED


def test_a_seat_given_to_somebody_who_left_comes_back_at_once():
    game = Game(directory=without(OFFICE, ADA)).submit(FINANCE)
    game.ask(ask.DelegateSeat(to=to(ADA)), FRED)
    assert game.asked("finance") == ["Fred"]


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        (FRED, "yours already"),
        (SAM, "with a partner"),
        (RITA, "asked for this"),
        (DORA, "asked already"),
    ],
)
def test_not_everybody_can_be_given_a_seat(whom: PersonEntry, why: str):
    both = step("both", {"role": "finance"}, {"person": DORA.email})
    with pytest.raises(InvalidInput, match=why):
        Game().submit(both).ask(ask.DelegateSeat(to=to(whom)), FRED)


def test_a_seat_is_not_given_until_the_past():
    with pytest.raises(InvalidInput, match="in the past"):
        Game().submit(FINANCE).ask(ask.DelegateSeat(to=to(ADA), until=MONDAY), FRED)


def asking(game: Game) -> Resolving:
    return Resolving(
        wants=(), facts=game.approval.facts, askers=(RITA.id,), requester_id=RITA.id, at=game.now
    )


def test_a_preview_is_what_then_happens():
    game = Game().submit()
    shown = preview(CHAIN, ["desk", "finance", "director"], asking(game), OFFICE, judge)
    assert [(each.key, each.state) for each in shown] == [
        ("desk", StepState.OPEN),
        ("finance", StepState.OPEN),
        ("director", StepState.WAITING),
    ]
    for each in shown[:2]:
        real = game.step(each.key)
        assert (each.approvers, each.due_at, each.alarms) == (real.approvers, real.due_at, real.alarms)
    assert names(each.name for each in shown[2].approvers) == ["Diana"]


def test_a_preview_shows_a_step_that_nobody_may_decide():
    shown = preview((DESK,), ["desk"], asking(Game().submit(DESK)), NOBODY, judge)
    assert (shown[0].approvers, shown[0].due_at) == ((), None)


def test_rings_of_delegations_do_not_hold_anything_up():
    office = away(away(OFFICE, FRED, DORA, since=MONDAY), DORA, FRED, since=MONDAY)
    assert Game(directory=office).submit(FINANCE).asked("finance") == ["Fred"]


def test_the_directory_of_nobody_has_nobody():
    assert replace(OFFICE, people=()) == Directory()
    game = Game(directory=Directory()).submit(step("desk", {"manager": True}))
    assert game.state is ApprovalState.RETURNED


def test_a_request_without_a_requesters_id_has_no_manager():
    template: StepTemplate = step("desk", {"manager": True})
    asked = Resolving(wants=(Want(template=template),), facts={}, askers=(), requester_id=None, at=MONDAY)
    assert names(each.name for each in resolve(asked, OFFICE, judge).steps[0].approvers) == ["Diana"]

"""Deals played with people who behave as a test says: what comes of them, and what never happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.handoff.commands import LogFollowUp
from domain.handoff.state import Health
from domain.opportunity.commands import Open
from domain.partner import Tier
from domain.simulation.behaviour import Behaviour
from domain.simulation.cast import cast_of
from domain.simulation.desk import Desk
from domain.simulation.play import Play
from domain.simulation.report import Report
from domain.simulation.simulate import play, shares, together
from domain.simulation.world import World
from tests.simulations import AT_ONCE, PLAYBOOK, PROMPT, a_trial, behaviour, playbook, played, policy


def report(**changes: Any) -> Report:
    people = {key: changes.pop(key) for key in list(changes) if key in Behaviour.model_fields}
    return played(a_trial(behaviour(**people), **changes)).report


def rung(found: Report, subject: str) -> int:
    return sum(each.count for each in found.rungs if each.subject == subject)


def test_who_answers_in_time_wins_and_hands_over() -> None:
    found = report(**PROMPT)
    assert found.states == {"open": 0, "on_hold": 0, "won": 0, "lost": 0, "handed_off": 5}
    assert [each.reached for each in found.stages] == [5, 5, 5, 5]
    assert (found.check_ins_missed, found.tasks_overdue, found.refused) == (0, 0, 0)
    assert found.handoffs.accepted == found.handoffs.follow_ups_held == 5


def test_the_same_seed_answers_the_same_and_another_one_something_else() -> None:
    trial = a_trial(behaviour(partner={"silent": {"chance": 0.3}, "misses": 0.3}))
    again = a_trial(behaviour(partner={"silent": {"chance": 0.3}, "misses": 0.3}), seed=2)
    assert played(trial).report == played(trial).report
    assert played(trial).report.model_copy(update={"seed": 2}) != played(again).report


def test_partners_who_fall_silent_for_good_lose_the_deal_after_the_owners_patience() -> None:
    silent = {"silent": {"chance": 1, "begins": AT_ONCE}}
    found = report(partner=silent, vendor={"patience": "20d"})
    assert found.states["lost"] == 5
    assert found.lost == {"partner_gap": 5}
    assert found.check_ins_missed == 5
    assert found.tasks_overdue >= 5
    assert rung(found, "check_in") == 5
    assert found.fell_due["stale"] > 0


def test_partners_who_come_back_go_on() -> None:
    silent = {"silent": {"chance": 1, "begins": AT_ONCE, "lasts": "30d"}}
    found = report(partner=silent, vendor={"patience": None})
    assert found.states["handed_off"] == 5
    assert found.stages[0].days.median is not None
    assert found.stages[0].days.median >= 30
    assert found.stages[0].overdue == 5


def test_an_owner_loses_patience_with_a_rule_that_is_never_met() -> None:
    stages = [
        *PLAYBOOK["stages"][:2],
        {**PLAYBOOK["stages"][2], "exit": {"by": "rule", "rule": "deal.amount < 0.0"}},
    ]
    found = report(
        **PROMPT | {"vendor": {**PROMPT["vendor"], "patience": "20d"}}, book=playbook(stages=stages)
    )
    assert found.lost == {"no_decision": 5}


def test_customers_say_no_where_the_file_says_so() -> None:
    no = {"says_no": {"propose": 1}, "answers": AT_ONCE, "reasons": {"legal": 1}}
    found = report(customer=no)
    assert found.lost == {"legal": 5}
    assert [each.reached for each in found.stages] == [5, 5, 0, 0]
    assert found.stages[1].days.count == 0


def test_a_no_that_comes_after_the_signature_changes_nothing() -> None:
    no = {"says_no_anywhere": 1, "answers": {"median": "90d", "spread": 1}}
    assert report(**PROMPT, customer=no).states["handed_off"] == 5


def test_check_ins_that_are_forgotten_are_missed_and_made_up_for() -> None:
    forgets = {"misses": 1, "catches_up": {"median": "3bd", "spread": 1}}
    slow = {"answers": {"median": "30d", "spread": 1}, **forgets}
    found = report(vendor={**slow, "patience": None}, partner=slow)
    assert found.check_ins_missed >= 5
    assert found.check_ins >= 5


DISCOUNTS = {"chance": 1, "median": 30, "spread": 1, "asks": AT_ONCE}


def test_one_person_at_the_desk_is_a_queue() -> None:
    slow = {"deal_desk": {"people": 1, "decides_in": {"median": "3bd", "spread": 1}}}
    busy = report(**PROMPT | {"approvers": slow}, discounts=DISCOUNTS, arrivals="1d", deals=8)
    quick = {"deal_desk": {"people": 8, "decides_in": {"median": "3bd", "spread": 1}}}
    calm = report(**PROMPT | {"approvers": quick}, discounts=DISCOUNTS, arrivals="1d", deals=8)
    assert (busy.queues[0].longest, calm.queues[0].longest) == (7, 0)
    assert busy.queues[0].mean > calm.queues[0].mean
    assert busy.approvals.asked == busy.approvals.ended["approved"] == 8
    assert busy.approvals.escalated > 0
    assert busy.states["handed_off"] == 8


def test_requests_that_nobody_has_time_for_end_with_the_deal() -> None:
    slow = {"deal_desk": {"decides_in": {"median": "200d", "spread": 1}}}
    slow |= {role: {"decides_in": {"median": "200d", "spread": 1}} for role in ("sales_director", "admin")}
    prompt = PROMPT | {"approvers": slow, "vendor": {**PROMPT["vendor"], "patience": "20d"}}
    found = report(**prompt, discounts=DISCOUNTS)
    assert found.approvals.ended == {"withdrawn": 5, "pending": 0}
    assert found.lost == {"no_decision": 5}


def test_requests_expire_and_the_deal_goes_on() -> None:
    away = {"away": {"times": 12, "length": "30d", "stand_in": False}}
    nobody = dict.fromkeys(("deal_desk", "sales_director", "admin"), away)
    found = report(**PROMPT | {"approvers": nobody}, discounts=DISCOUNTS, rules=policy(request_expires="2d"))
    assert found.approvals.ended.get("expired", 0) > 0


def test_who_is_refused_may_walk_away() -> None:
    no = {"deal_desk": {"decides_in": AT_ONCE, "rejects": 1}}
    stays = report(**PROMPT | {"approvers": no}, discounts=DISCOUNTS)
    goes = report(
        **PROMPT | {"approvers": no, "partner": {"answers": {"median": "9bd"}}},
        discounts={**DISCOUNTS, "lost_without": 1},
        customer={"answers": AT_ONCE},
    )
    assert stays.states["handed_off"] == 5
    assert goes.lost == {"price": 5}


def test_within_the_standard_nobody_is_asked() -> None:
    gold = {**PROMPT["partner"], "tiers": {"gold": 1}}
    found = report(**PROMPT | {"partner": gold}, discounts={**DISCOUNTS, "median": 5})
    assert (found.approvals.granted_at_once, found.approvals.asked) == (5, 0)


def test_a_grant_that_ends_is_asked_for_again() -> None:
    slow = {"answers": {"median": "30d", "spread": 1}, "check_ins": AT_ONCE}
    found = report(
        **PROMPT | {"partner": slow},
        discounts=DISCOUNTS,
        rules=policy(grant={"valid": "10d"}),
        days=365,
    )
    assert found.approvals.discounts_asked > 5
    assert found.fell_due.get("grant", 0) == 0, "it lapses, which is more than news"


def test_where_nobody_may_decide_the_request_is_given_up() -> None:
    alone = [{**policy().steps[0].model_dump(), "approvers": [{"person": "cfo@vendor.example"}], "needs": 1}]
    known = report(**PROMPT, discounts=DISCOUNTS, rules=policy(steps=alone))
    assert known.approvals.ended["approved"] == 5, "whom a policy names is there"
    many = [{**policy().steps[0].model_dump(), "needs": 12, "approvers": [{"role": "deal_desk"}]}]
    nobody = report(**PROMPT, discounts=DISCOUNTS, rules=policy(steps=many))
    assert nobody.approvals.ended == {"withdrawn": 5, "pending": 0}
    assert nobody.states["handed_off"] == 5


def test_without_a_policy_discounts_stay_unasked() -> None:
    found = report(**PROMPT, discounts=DISCOUNTS, without_policy=True)
    assert found.approvals.asked == 0


def test_a_stage_waits_for_its_approval_and_asks_again_three_times() -> None:
    review = {"approval": {"title": "Review", "role": "deal_desk"}}
    stages = [{**PLAYBOOK["stages"][0], "on_enter": [review]}, *PLAYBOOK["stages"][1:]]
    given_ = report(**PROMPT, book=playbook(stages=stages))
    assert given_.states["handed_off"] == 5
    assert given_.queues[0].title == "Review"
    no = {"deal_desk": {"decides_in": AT_ONCE, "rejects": 1}}
    vendor = {**PROMPT["vendor"], "patience": "20d"}
    refused = report(**PROMPT | {"approvers": no, "vendor": vendor}, book=playbook(stages=stages))
    assert refused.approvals.ended["rejected"] == 5 * 4
    assert refused.states["lost"] == 5


def test_hand_offs_come_back_three_times_at_most() -> None:
    returns = {"answers": AT_ONCE, "returns": 1}
    found = report(**PROMPT | {"customer_success": returns})
    assert found.handoffs.returned == 15
    assert found.states["handed_off"] == 5


def test_follow_ups_that_come_late_are_missed() -> None:
    late = {"answers": AT_ONCE, "follow_ups": {"median": "20d", "spread": 1}}
    found = report(**PROMPT | {"customer_success": late})
    assert found.handoffs.follow_ups_missed == found.handoffs.follow_ups_held == 5


def test_holidays_with_and_without_a_stand_in() -> None:
    for stand_in in (True, False):
        away = {"times": 6, "length": "4w", "stand_in": stand_in}
        desk = {"deal_desk": {"people": 2, "decides_in": {"median": "1bd"}, "away": away}}
        found = report(
            **PROMPT | {"approvers": desk}, discounts=DISCOUNTS, arrivals="180d", days=300, deals=12
        )
        assert found.approvals.ended["approved"] == 12


def test_two_must_agree() -> None:
    both = [{**policy().steps[0].model_dump(), "needs": "all"}]
    desk = {"deal_desk": {"people": 2, "decides_in": {"median": "2bh"}}}
    found = report(**PROMPT | {"approvers": desk}, discounts=DISCOUNTS, rules=policy(steps=both))
    assert found.approvals.ended["approved"] == 5
    assert found.queues[0].decided == 5


def test_what_a_script_keeps_is_what_happened() -> None:
    done = played(a_trial(behaviour(discounts=DISCOUNTS, closes="60d")))
    assert len(done.scripts) == 5
    for script in done.scripts:
        assert [each.at for each in script.noted] == sorted(each.at for each in script.noted)
        assert all(each.after <= len(script.noted) for each in script.commands)
        assert {each.stream for each in script.noted} >= {"deal", "approval 1"}


def test_a_stage_that_people_move_on_from() -> None:
    first, *others = PLAYBOOK["stages"]
    found = report(**PROMPT, book=playbook(stages=[{**first, "exit": {"advance": "person"}}, *others]))
    assert found.states["handed_off"] == 5


def test_a_rule_that_moves_the_deal_on_by_itself() -> None:
    automatic = {"by": "rule", "rule": "deal.amount > 0.0", "advance": "automatic"}
    first, *others = PLAYBOOK["stages"]
    found = report(**PROMPT, book=playbook(stages=[{**first, "exit": automatic}, *others]))
    assert found.stages[0].days.median == 0.0


def test_who_is_refused_leaves_it_at_that() -> None:
    euros = {"currency": "EUR"}
    found = report(**PROMPT, amount=euros, discounts=DISCOUNTS)
    assert (found.refused, found.approvals.asked, found.states["handed_off"]) == (5, 0, 5)


def test_before_it_is_won_there_is_nothing_to_follow_up() -> None:
    trial = a_trial(deals=1)
    cast = cast_of(trial.behaviour, trial.playbook, trial.policy, trial.calendar, trial.period)
    world = World(trial, cast)
    opening = played(trial).scripts[0].commands[0].request
    assert isinstance(opening, Open)
    one = Play(world, Desk(world), world.dice("one"), Tier.GOLD, opening)
    one.follow_up(LogFollowUp(health=Health.GOOD, note="Well."), cast.success)
    assert one.handoff is None


@pytest.mark.parametrize("parts", [2, 3])
def test_deals_that_do_not_meet_may_be_played_apart(parts: int) -> None:
    people = behaviour(discounts={"chance": 0.4, "median": 30}, approvers={"deal_desk": {}})
    trial = a_trial(people, deals=12)
    numbers = shares(trial, parts)
    assert sorted(number for part in numbers for number in part) == [*range(12)]
    apart = together(trial, 1, [play(trial, part, lambda _share: None, 3) for part in numbers])
    whole = played(trial)
    assert apart.report == whole.report
    assert [each.noted for each in apart.scripts] == [each.noted for each in whole.scripts[:3]]


def test_deals_whose_stages_are_approved_meet_at_the_desk() -> None:
    review = {"approval": {"title": "Review", "role": "deal_desk"}}
    stages = [{**PLAYBOOK["stages"][0], "on_enter": [review]}, *PLAYBOOK["stages"][1:]]
    assert shares(a_trial(book=playbook(stages=stages)), 2) == [[0, 1, 2, 3, 4], []]


def test_deals_too_small_for_an_approval_do_not_meet() -> None:
    review = {"approval": {"title": "Review", "role": "deal_desk"}}
    people = behaviour(amount={"median": 100000, "spread": 3})
    rules = {
        "deal.amount > 150000.0": True,
        "size(deal.title) > 5": False,
        "size(partners) > 0": False,
        "deal.amount > 1.0 && partners.exists(p, p.role == 'reseller')": False,
        "size(tasks) == 0 || deal.amount > 1.0": False,
    }
    for rule, apart in rules.items():
        stages = [{**PLAYBOOK["stages"][0], "on_enter": [{**review, "when": rule}]}, *PLAYBOOK["stages"][1:]]
        trial = a_trial(people, deals=8, book=playbook(stages=stages))
        numbers = shares(trial, 2)
        assert (numbers[1] != []) is apart
        played_apart = [play(trial, part, lambda _share: None, 0) for part in numbers]
        whole = played(trial)
        assert whole.report.approvals.asked > 0
        assert together(trial, 1, played_apart).report == whole.report


chances = st.floats(0, 1)


@settings(max_examples=15, deadline=None)
@given(chance=st.lists(chances, min_size=6, max_size=6), seed=st.integers(0, 99))
def test_every_deal_stands_somewhere(chance: list[float], seed: int) -> None:
    silent, misses, no, returns, asks, rejects = chance
    found = report(
        partner={"silent": {"chance": silent}, "misses": misses},
        vendor={"misses": misses},
        customer={"says_no_anywhere": no},
        customer_success={"returns": returns},
        discounts={"chance": asks},
        approvers={"deal_desk": {"rejects": rejects}},
        seed=seed,
        deals=3,
    )
    assert sum(found.states.values()) == found.deals == 3
    assert sum(found.lost.values()) == found.states["lost"]
    assert sum(found.open_in.values()) == found.states["open"] + found.states["won"]
    assert found.refused == 0
    assert all(0 <= each.share <= 100 for each in found.stages)
    assert sum(found.approvals.ended.values()) == found.approvals.asked


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), no=chances, asks=chances)
def test_who_answers_at_once_misses_nothing(seed: int, no: float, asks: float) -> None:
    found = report(
        **PROMPT, customer={"says_no_anywhere": no}, discounts={"chance": asks}, seed=seed, deals=3
    )
    assert (found.check_ins_missed, found.tasks_overdue, found.refused) == (0, 0, 0)


@pytest.mark.parametrize("days", [1, 3])
def test_a_short_time_ends_in_the_middle(days: int) -> None:
    found = report(days=days, arrivals=None, deals=20)
    assert found.deals == 20
    assert found.states["open"] > 0

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.approval.policy import PolicyRef
from domain.crm_import.ids import imported_id
from domain.crm_import.opening import opened, opening
from domain.crm_import.parsers import World
from domain.crm_import.read import read_export
from domain.crm_import.records import Row
from domain.opportunity.state import LoseReason, Status
from tests.crm_exports import (
    ACCOUNTS,
    PEOPLE,
    PRODUCTS,
    WORLD,
    a_deal,
    a_mapping,
    read,
    rows,
    the_deal,
    why_rejected,
)
from tests.factories import NOW, REP, a_playbook, an_id

POLICY = PolicyRef(key="standard", version=3)


def test_a_closed_deal_keeps_its_days_its_value_and_its_owner() -> None:
    deal = the_deal()
    assert (deal.opened_at, deal.closed_at) == (
        datetime(2026, 1, 10, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert deal.amount == Decimal("1200.50")
    assert deal.owner is not None
    assert deal.owner.email == "ada.winter@sales.example"
    assert deal.title == "Widget X for Acme"
    assert deal.expected_close == date(2026, 3, 1)
    assert not deal.is_live


def test_days_begin_in_the_zone_of_the_export() -> None:
    world = World(today=WORLD.today, zone=ZoneInfo("America/New_York"), countries=WORLD.countries)
    export = read_export(
        a_mapping(people=None, accounts=None, products=None, stages={"Won": {"status": "won"}}),
        {"opportunities": rows("deals", a_deal())},
        world,
    )
    assert export.deals[0].opened_at == datetime(2026, 1, 10, 5, tzinfo=UTC)


def test_other_spellings_are_read_as_what_they_mean() -> None:
    deal = the_deal(Product="widgetx", Agent=" a. winter ", Account="ACME")
    assert deal.custom["product"] == "Widget X"
    assert deal.owner is not None
    assert deal.owner.name == "Ada Winter"
    assert deal.account is not None
    assert (deal.account.industry, deal.account.country) == ("technology", "US")


def test_what_has_no_place_of_its_own_is_kept_with_the_deal() -> None:
    deal = the_deal(Campaign="  Spring   fair ")
    assert deal.custom == {
        "campaign": "Spring fair",
        "region": "West",
        "series": "W",
        "product": "Widget X",
        "list_price": "550.00",
    }


def test_a_live_deal_is_worth_its_list_price_where_the_mapping_says_so() -> None:
    deal = the_deal(Stage="new", Closed="", Value="")
    assert deal.amount == Decimal("550.00")
    assert deal.is_live
    assert deal.expected_close is None


def test_a_live_deal_may_be_expected_to_close_in_the_future() -> None:
    deal = the_deal(Stage="Working", Closed="2027-12-31")
    assert deal.expected_close == date(2027, 12, 31)
    assert deal.closed_at is None


def test_a_lost_deal_with_a_value_of_zero_is_worth_its_list_price() -> None:
    assert the_deal(Stage="Lost", Value="0").amount == Decimal("550.00")


def test_a_blank_account_is_the_customer_nobody_wrote_down() -> None:
    deal = the_deal(Account="  ")
    assert deal.account is None
    assert deal.customer == "Unknown customer"


def test_a_blank_account_is_refused_where_the_mapping_does_not_say_what_to_do() -> None:
    why = why_rejected(Account="", mapping=a_mapping(blanks={}))
    assert why == "Account is empty, and the mapping has no blanks.customer"


def test_deals_without_owner_and_product_are_taken() -> None:
    mapping = a_mapping(title="{product} / {owner}", blanks={"customer": "Nobody"})
    deal = the_deal(Agent="", Product="", mapping=mapping)
    assert deal.title == "Opportunity / nobody"
    assert deal.owner is None
    assert deal.custom == {}


def test_an_opening_day_can_be_given_for_those_that_have_none() -> None:
    mapping = a_mapping(blanks={"opened": "2017-12-31"})
    assert the_deal(Opened="", mapping=mapping).opened_at == datetime(2017, 12, 31, tzinfo=UTC)
    assert why_rejected(Opened="") == "Opened is empty"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Id": " "}, "Id is empty"),
        ({"Id": "x" * 201}, "Id is 201 characters long; at most 200 are taken"),
        ({"Stage": "Zombie"}, "Stage “Zombie” is not among the stages of the mapping"),
        ({"Opened": "10/01/2026"}, "Opened “10/01/2026” is not a date in the form %Y-%m-%d"),
        ({"Opened": "1900-01-01"}, "Opened 1900-01-01 is before 1980"),
        ({"Opened": "9999-12-31"}, "Opened 9999-12-31 is in the future"),
        ({"Closed": ""}, "Closed is empty"),
        ({"Closed": "2027-03-02"}, "Closed 2027-03-02 is in the future"),
        ({"Closed": "2026-01-09"}, "Closed 2026-01-09 is before the deal was opened (2026-01-10)"),
        ({"Stage": "Working", "Closed": "9999-12-31"}, "Closed 9999-12-31 is after 2099"),
        ({"Value": "-5"}, "Value “-5” is negative"),
        ({"Value": "9" * 40}, f"Value “{'9' * 40}” is more than 999,999,999,999.99"),
        ({"Value": "1,250"}, "Value “1,250” is not an amount such as 1250.50"),
        ({"Value": "1.005"}, "Value “1.005” has more than two digits after the ."),
        (
            {"Account": "Acne"},
            (
                "Account “Acne” is no account in accounts.csv; "
                "add it there, or its right name under values.customers in the mapping"
            ),
        ),
        ({"Agent": "Ada\0Winter"}, "Agent holds a character that text cannot have (U+0000); take it out"),
        (
            {"Agent": "Ada\u202eWinter"},
            "Agent holds a character that turns the direction of reading (U+202E); take it out",
        ),
        ({"Campaign": "x" * 1001}, "Campaign is 1,001 characters long; at most 1,000 are taken"),
        ({"Stage": "New", "Product": "Gift"}, "Product gives no list price to take the amount from"),
        ({"Stage": "New", "Product": ""}, "Product gives no list price to take the amount from"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(cells: dict[str, Any], reason: str) -> None:
    assert why_rejected(**cells) == reason


def test_an_unknown_product_is_said_once() -> None:
    assert why_rejected(Stage="New", Product="Gadget").count("Gadget") == 1


def test_a_reject_names_everything_that_is_wrong_with_the_row() -> None:
    export = read(a_deal(Stage="?", Opened="soon", Value="much"))
    reject = export.rejects[0]
    assert reject.fields == ("Stage", "Opened", "Value")
    assert reject.id == "D-1"
    assert (reject.row.file, reject.row.line) == ("deals.csv", 2)


def test_a_row_that_is_wrong_as_a_whole_is_not_read_at_all() -> None:
    broken = Row("deals.csv", 7, {"Id": "D-1"}, ("D-1",), wrong="the row has 1 values")
    export = read_export(a_mapping(), {"opportunities": [broken]}, WORLD)
    assert [reject.reason for reject in export.rejects] == ["the row has 1 values"]


def test_an_id_is_taken_once() -> None:
    export = read(a_deal(), a_deal(Value="7"), a_deal(Id="D-2"))
    assert [deal.external_id for deal in export.deals] == ["D-1", "D-2"]
    assert export.rejects[0].reason == "Id “D-1” is there already on line 2"


def test_every_row_is_a_record_or_a_reject() -> None:
    export = read(
        a_deal(),
        a_deal(Id=""),
        people=(*PEOPLE, {"Agent": "Ada Winter", "Region": ""}, {"Agent": "ADA  Wínter", "Region": ""}),
        accounts=(*ACCOUNTS, {"Account": "Beta", "Sector": "", "Country": "Atlantis", "Founded": ""}),
        products=(*PRODUCTS, {"Product": "Odd", "Price": "cheap", "Series": ""}),
    )
    assert export.rows == {"people": 4, "accounts": 2, "products": 3, "opportunities": 2}
    taken = len(export.people) + len(export.accounts) + len(export.products) + len(export.deals)
    assert taken + len(export.rejects) == sum(export.rows.values())
    assert [reject.reason for reject in export.rejects] == [
        "Agent “Ada Winter” is there already on line 2",
        "Agent would have the address ada.winter@sales.example of line 2; give one under emails",
        "Country “Atlantis” is no country; add it under values.countries in the mapping",
        "Price “cheap” is not an amount such as 1250.50",
        "Id is empty",
    ]


def test_a_deal_of_an_account_that_was_refused_is_refused_with_it() -> None:
    export = read(
        a_deal(), accounts=({"Account": "Acme", "Sector": "", "Country": "Atlantis", "Founded": ""},)
    )
    assert export.rejects[-1].reason == "Account “Acme” was refused itself (accounts.csv, line 2)"


def test_a_name_without_letters_needs_an_address_in_the_mapping() -> None:
    people = ({"Agent": "王", "Region": ""}, {"Agent": "", "Region": ""})
    assert [reject.reason for reject in read(people=people).rejects] == [
        "Agent no e-mail address can be made of “王”; give one under emails in the mapping",
        "Agent is empty",
    ]
    export = read(people=people[:1], mapping=a_mapping(emails={"王": "wang@sales.example"}))
    assert [person.email for person in export.people] == ["wang@sales.example"]


def test_what_the_export_does_not_list_is_taken_as_it_is_named() -> None:
    mapping = a_mapping(people=None, accounts=None, products=None, stages={"Won": {"status": "won"}})
    export = read_export(mapping, {"opportunities": rows("deals", a_deal(), a_deal(Id="D-2"))}, WORLD)
    assert [person.name for person in export.people] == ["Ada Winter"]
    assert [account.name for account in export.accounts] == ["Acme"]
    assert [product.name for product in export.products] == ["Widget X"]
    assert export.rows == {"opportunities": 2}


def test_the_same_row_has_the_same_id_of_its_opening_day() -> None:
    at = datetime(2017, 3, 1, tzinfo=UTC)
    one = imported_id(at, "old-crm", "opportunity", "D-1")
    assert one == imported_id(at, "old-crm", "opportunity", "D-1")
    assert one != imported_id(at, "old-crm", "opportunity", "D-2")
    assert one != imported_id(at, "new-crm", "opportunity", "D-1")
    assert one.version == 7
    assert one.variant == UUID(int=one.int).variant == "specified in RFC 4122"
    assert one.int >> 80 == int(at.timestamp() * 1000)


def test_a_closed_deal_opens_as_history_with_its_days() -> None:
    command = opening(
        the_deal(Stage="Lost"), a_mapping(), a_playbook(), policy=POLICY, account_id=an_id(5), owner=REP
    )
    outcome = opened(command, NOW, REP)
    deal = outcome.opportunity
    assert deal.status is Status.LOST
    assert deal.lost is not None
    assert deal.lost.reason is LoseReason.PRICE
    assert [(entry.at.date(), entry.event.type, entry.by.name) for entry in outcome.entries] == [
        (date(2026, 1, 10), "opportunity_opened", "Rosa Rep"),
        (date(2026, 3, 1), "lost", "Rosa Rep"),
    ]
    assert deal.external is not None
    assert (deal.external.source, deal.external.id) == ("old-crm", "D-1")
    assert deal.customer.country == "US"
    assert deal.policy == POLICY, "it keeps the discount policy that was the newest"


def test_a_live_deal_opens_in_its_stage_with_its_tasks() -> None:
    read_deal = the_deal(Stage="Working", Closed="", Value="", Account="")
    outcome = opened(
        opening(read_deal, a_mapping(), a_playbook(), policy=None, account_id=None, owner=None), NOW, None
    )
    deal = outcome.opportunity
    assert deal.status is Status.OPEN
    assert deal.stage.key == "prepare"
    assert deal.amount is None
    assert deal.owner is None
    assert deal.created_at == datetime(2026, 1, 10, tzinfo=UTC)
    assert outcome.entries[0].by.name == "Tandem"
    assert [task.opened_at for task in deal.stage_tasks()] == [NOW, NOW]

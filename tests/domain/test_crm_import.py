from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from domain.crm_import.ids import imported_id
from domain.crm_import.mapping import ImportMapping
from domain.crm_import.opening import opened, opening
from domain.crm_import.parsers import World
from domain.crm_import.read import read_export
from domain.crm_import.records import Deal, Export, Row
from domain.crm_import.values import BadValue, amount, clean, day, email_of, name, shortened
from domain.opportunity.state import LoseReason, Status
from tests.factories import NOW, REP, a_playbook, an_id

WORLD = World(
    today=date(2027, 3, 1), zone=UTC, countries={"united states": "US", "philippines": "PH", "us": "US"}
)

MAPPING: dict[str, Any] = {
    "source": "old-crm",
    "playbook": "it-software",
    "currency": "USD",
    "email_domain": "sales.example",
    "opportunities": {
        "file": "deals.csv",
        "id": "Id",
        "stage": "Stage",
        "opened": "Opened",
        "closed": "Closed",
        "amount": "Value",
        "owner": "Agent",
        "customer": "Account",
        "product": "Product",
        "custom": {"campaign": "Campaign"},
    },
    "people": {"file": "people.csv", "name": "Agent", "custom": {"region": "Region"}},
    "accounts": {
        "file": "accounts.csv",
        "name": "Account",
        "industry": "Sector",
        "country": "Country",
        "custom": {"founded": "Founded"},
    },
    "products": {
        "file": "products.csv",
        "name": "Product",
        "list_price": "Price",
        "custom": {"series": "Series"},
    },
    "values": {
        "products": {"WidgetX": "Widget X"},
        "owners": {"A. Winter": "Ada Winter"},
        "industries": {"technolgy": "technology"},
        "countries": {"Philipines": "Philippines"},
    },
    "stages": {
        "New": {"status": "open", "amount": "list_price"},
        "Working": {"status": "open", "stage": "prepare"},
        "Won": {"status": "won", "stage": "commit"},
        "Lost": {"status": "lost", "amount": "list_price", "reason": "price"},
    },
    "blanks": {"customer": "Unknown customer"},
}


def a_mapping(**changes: Any) -> ImportMapping:
    return ImportMapping.model_validate({**MAPPING, **changes})


def rows(sheet: str, *cells: dict[str, str]) -> list[Row]:
    return [Row(f"{sheet}.csv", line, cell, tuple(cell.values())) for line, cell in enumerate(cells, start=2)]


def a_deal(**cells: str) -> dict[str, str]:
    usual = {
        "Id": "D-1",
        "Stage": "Won",
        "Opened": "2026-01-10",
        "Closed": "2026-03-01",
        "Value": "1200.50",
        "Agent": "Ada Winter",
        "Account": "Acme",
        "Product": "Widget X",
        "Campaign": "",
    }
    return {**usual, **cells}


PEOPLE = ({"Agent": "Ada Winter", "Region": "West"}, {"Agent": "Bruno Sato", "Region": ""})
ACCOUNTS = ({"Account": "Acme", "Sector": "technolgy", "Country": "United States", "Founded": "1996"},)
PRODUCTS = (
    {"Product": "Widget X", "Price": "550", "Series": "W"},
    {"Product": "Gift", "Price": "", "Series": ""},
)


def read(*deals: dict[str, str], mapping: ImportMapping | None = None, **sheets: Any) -> Export:
    """The export with these deals and the usual people, accounts and products."""
    return read_export(
        mapping or a_mapping(),
        {
            "people": rows("people", *sheets.get("people", PEOPLE)),
            "accounts": rows("accounts", *sheets.get("accounts", ACCOUNTS)),
            "products": rows("products", *sheets.get("products", PRODUCTS)),
            "opportunities": rows("deals", *deals),
        },
        WORLD,
    )


def the_deal(*, mapping: ImportMapping | None = None, **cells: str) -> Deal:
    export = read(a_deal(**cells), mapping=mapping)
    assert export.rejects == []
    return export.deals[0]


def why_rejected(*, mapping: ImportMapping | None = None, **cells: str) -> str:
    export = read(a_deal(**cells), mapping=mapping)
    assert export.deals == []
    return export.rejects[0].reason


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
    command = opening(the_deal(Stage="Lost"), a_mapping(), a_playbook(), account_id=an_id(5), owner=REP)
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


def test_a_live_deal_opens_in_its_stage_with_its_tasks() -> None:
    read_deal = the_deal(Stage="Working", Closed="", Value="", Account="")
    outcome = opened(opening(read_deal, a_mapping(), a_playbook(), account_id=None, owner=None), NOW, None)
    deal = outcome.opportunity
    assert deal.status is Status.OPEN
    assert deal.stage.key == "prepare"
    assert deal.amount is None
    assert deal.owner is None
    assert deal.created_at == datetime(2026, 1, 10, tzinfo=UTC)
    assert outcome.entries[0].by.name == "Tandem"
    assert [task.opened_at for task in deal.stage_tasks()] == [NOW, NOW]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "Old CRM"}, "use lower-case letters, digits and single hyphens"),
        ({"currency": "dollars"}, "must be an ISO 4217 code"),
        ({"email_domain": "nowhere"}, "must be a domain such as sales.example"),
        ({"decimal_mark": ";"}, "must be '.' or ','"),
        ({"title": "{prodct}"}, "may hold {id}, {product}, {customer} and {owner}"),
        ({"title": "{"}, "may hold {id}, {product}, {customer} and {owner}"),
        ({"stages": {"New": {"status": "on_hold"}}}, "must be open, won or lost"),
        ({"products": None}, "the amount of 'New' is the list price, but products.list_price is not given"),
        (
            {"opportunities": {**MAPPING["opportunities"], "closed": None}},
            "'Won' is won, but opportunities.closed is not given",
        ),
    ],
)
def test_a_mapping_that_makes_no_sense_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_mapping(**changes)
    assert message in str(refused.value)


def test_a_mapping_without_closed_deals_needs_no_closing_day() -> None:
    part = {**MAPPING["opportunities"], "closed": None, "product": None}
    mapping = a_mapping(opportunities=part, stages={"Working": {"status": "open"}})
    assert the_deal(Stage="Working", mapping=mapping).expected_close is None


def test_a_list_price_is_refused_where_deals_name_no_product() -> None:
    part = {**MAPPING["opportunities"], "product": None}
    why = why_rejected(Stage="New", Closed="", mapping=a_mapping(opportunities=part))
    assert why == "Stage gives no list price to take the amount from"


def test_text_is_tidied_and_keeps_what_people_write() -> None:
    assert clean("  Müller\t &\n Söhne  ") == "Müller & Söhne"
    assert clean("שלום 🚀 <b>") == "שלום 🚀 <b>"
    with pytest.raises(BadValue, match=r"U\+0000"):
        clean("a\0b")
    with pytest.raises(BadValue, match="is empty"):
        name("  ")


def test_amounts_and_days_follow_the_mapping() -> None:
    assert amount("1250,5", ",") == Decimal("1250.50")
    assert the_deal(Value="9,5", mapping=a_mapping(decimal_mark=",")).amount == Decimal("9.50")
    assert day("31.12.2016", "%d.%m.%Y", latest=date(2017, 1, 1)) == date(2016, 12, 31)


def test_addresses_are_made_of_names() -> None:
    assert email_of("Anna-Maria Müller", "x.example") == "anna-maria.muller@x.example"
    assert email_of("Dov O'Hara", "x.example") == "dov.ohara@x.example"


def test_long_titles_are_cut() -> None:
    assert shortened("x" * 300) == "x" * 199 + "…"
    assert shortened("short") == "short"

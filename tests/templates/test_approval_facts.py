"""What a request was judged by, as people read it."""

from __future__ import annotations

from api.web.approval_facts import facts_of

FACTS = {
    "deal": {"title": "ERP", "amount": 250000.0, "currency": "EUR", "stage": "joint-demo", "probability": 40},
    "partner": {"tier": "gold", "role": "reseller", "name": "Aster"},
    "customer": {"country": "DE", "industry": "", "name": "Acme"},
    "discount": {"percent": 27.5, "standard": 15.0, "beyond": 12.5, "value": 68750.0, "competitor": "Rival"},
    "margin": {"known": True, "cost": 100.0, "percent": 12.34, "below_cost": True},
    "elsewhere": {"deals": 2, "percent": 30.0, "value": 1.0},
    "currency": "USD",
    "other_deals": [{"title": "Secret"}],
}


def test_a_discount_is_told_in_the_order_in_which_one_asks():
    lines = facts_of(FACTS)
    assert lines[:5] == [
        ("Asked for", "27.5 %"),
        ("Standard for this partner", "15 %"),
        ("Beyond the standard", "12.5 points"),
        ("Given away", "$68,750"),
        ("Competitor", "Rival"),
    ]
    told = dict(lines)
    assert told["Price before discounts"] == "$250,000"
    assert told["Margin that is left"] == "12.34 %"
    assert told["Below cost"] == "yes"
    assert told["Stage"] == "Joint demo"
    assert told["Country"] == "Germany"
    assert "Industry" not in told
    assert "Secret" not in str(lines)


def test_a_margin_that_is_not_known_is_not_told():
    told = dict(facts_of({**FACTS, "margin": {"known": False, "percent": 99.0, "below_cost": True}}))
    assert "Margin that is left" not in told
    assert "Below cost" not in told


def test_facts_of_another_kind_are_told_by_their_names():
    assert facts_of({"claim": {"event_date": "2027-03-01", "receipts": 3, "note": ""}, "urgent": True}) == [
        ("Claim event date", "2027-03-01"),
        ("Claim receipts", "3"),
        ("Urgent", "yes"),
    ]


def test_facts_that_make_no_sense_break_no_page():
    assert facts_of({"discount": "?", "deal": {"amount": 5.0}, "currency": "nonsense"}) == [
        ("Price before discounts", "5.00")
    ]
    assert facts_of({}) == []

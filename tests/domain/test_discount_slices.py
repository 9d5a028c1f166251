"""Line by line is not less than at once: what is given on a deal's other lines counts."""

from __future__ import annotations

from domain.opportunity.commands_lines import AddLine
from tests.bargains import Bargain, a_bargain, a_product


def a_large_deal() -> Bargain:
    """1,000,000.00 of ERP, 1,000,000.00 of support."""
    deal = a_bargain(amount=None)
    deal.ask(AddLine(product=a_product(), quantity=1000, standard_percent="15"))
    deal.ask(AddLine(product=a_product("Support", "support"), quantity=1000, standard_percent="15"))
    return deal


def test_the_lines_of_a_deal_add_up() -> None:
    deal = a_large_deal()
    deal.granted("20", line="ERP")
    assert deal.asked == ["deal-desk"], "200,000 given away"
    deal.want("20", line="support")
    assert deal.asked == ["deal-desk", "finance"], "400,000 by now"
    assert deal.newest.facts is not None
    assert [other.words for other in deal.newest.facts.elsewhere] == [
        "“ERP rollout (ERP)” has 20 % (granted)"
    ]


def test_the_rest_of_a_grant_for_all_of_it_counts() -> None:
    deal = a_large_deal()
    deal.granted("16")
    assert deal.asked == ["deal-desk", "finance"], "320,000"
    deal.want("20", line=deal.deal.lines[0].key)
    assert deal.asked == ["deal-desk", "finance"], "200,000, and 160,000 on the rest"


def test_what_is_replaced_or_standard_does_not_count() -> None:
    deal = a_large_deal()
    deal.granted("16", line="ERP")
    deal.want("18", line="ERP")
    assert deal.asked == ["deal-desk"]
    standard = a_large_deal()
    standard.want("15", line="support")
    standard.want("16", line="ERP")
    assert standard.asked == ["deal-desk"]
    assert standard.newest.facts is not None
    assert standard.newest.facts.elsewhere == ()

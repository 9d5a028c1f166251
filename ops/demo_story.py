"""The demo's cast and its deals, as data: made up, like the companies in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from domain.handoff.state import Health
from domain.opportunity.state import LoseReason
from domain.playbook import PartnerRole
from domain.principal import Role

VENDOR = ("Northwind Systems", "vendor.example", "US")
PARTNERS = (
    ("Aster Integrators", "aster.example", "US", "gold"),
    ("Borealis Systems", "borealis.example", "SE", "silver"),
)
PEOPLE: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("rep@vendor.example", "Riley Novak", (Role.SALES_REP,)),
    ("rep2@vendor.example", "Ines Duarte", (Role.SALES_REP,)),
    ("desk@vendor.example", "Dana Whitfield", (Role.DEAL_DESK,)),
    ("desk2@vendor.example", "Tomas Lindqvist", (Role.DEAL_DESK,)),
    ("finance@vendor.example", "Farah Aziz", (Role.FINANCE,)),
    ("director@vendor.example", "Morgan Achebe", (Role.SALES_DIRECTOR,)),
    ("success@vendor.example", "Sunniva Berg", (Role.CUSTOMER_SUCCESS,)),
    ("admin@vendor.example", "Alex Kimura", (Role.ADMIN,)),
    ("seller@aster.example", "Amara Costa", (Role.PARTNER_SELLER,)),
    ("lead@aster.example", "Leo Hartmann", (Role.PARTNER_SELLER, Role.PARTNER_ADMIN)),
    ("seller@borealis.example", "Bo Eriksen", (Role.PARTNER_SELLER,)),
)
MANAGERS = {
    "rep@vendor.example": "director@vendor.example",
    "rep2@vendor.example": "director@vendor.example",
    "desk@vendor.example": "director@vendor.example",
    "desk2@vendor.example": "director@vendor.example",
    "seller@aster.example": "lead@aster.example",
}
ASTER, BOREALIS = "Aster Integrators", "Borealis Systems"


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal of the demo: `reach` is the stage it is worked to, `handoff` for a won one."""

    title: str
    customer: str
    domain: str
    country: str
    industry: str
    amount: str
    close_in_days: int
    playbook: str
    partners: tuple[tuple[str, PartnerRole], ...]
    reach: str
    owner: str = "rep@vendor.example"
    started: int = 1
    """How many of the stage's required tasks are done."""
    note: str | None = None
    next_step: str | None = None
    hold: str | None = None
    lost: tuple[LoseReason, str] | None = None
    accepted: bool = False
    currency: str = "USD"
    custom: dict[str, str] = field(default_factory=dict)
    lines: tuple[tuple[str, int, str], ...] = ()
    """What is sold: SKU, quantity and discount in percent, which the partner's standard may lower."""


RESELLER, MSP, SI = PartnerRole.RESELLER, PartnerRole.MANAGED_SERVICE, PartnerRole.SYSTEM_INTEGRATOR
TECHNOLOGY = PartnerRole.TECHNOLOGY

DEALS: tuple[Deal, ...] = (
    Deal(
        "ERP rollout",
        "Harbor Freight Lines",
        "harborlines.example",
        "US",
        "logistics",
        "250000.00",
        75,
        "it-software",
        ((ASTER, RESELLER),),
        "joint-qualification",
        note="Their old system is out of support in June; the CFO sponsors the project.",
    ),
    Deal(
        "Warehouse analytics",
        "Pinecrest Foods",
        "pinecrest.example",
        "CA",
        "food",
        "84000.00",
        40,
        "it-software",
        ((ASTER, RESELLER),),
        "joint-demo",
        started=9,
        next_step="Both sides agree that the demonstration is finished",
        lines=(("ANL-50", 1, "10"), ("SUP-STD", 1, "0"), ("SVC-DAY", 6, "0")),
    ),
    Deal(
        "Service desk renewal",
        "Old Mill Insurance",
        "oldmill.example",
        "GB",
        "insurance",
        "132500.00",
        30,
        "it-software",
        ((BOREALIS, RESELLER),),
        "joint-proposal",
        owner="rep2@vendor.example",
        currency="GBP",
        note="Procurement wants one contract for three years.",
    ),
    Deal(
        "Plant maintenance suite",
        "Kestrel Turbines",
        "kestrel.example",
        "DE",
        "manufacturing",
        "410000.00",
        120,
        "it-software",
        ((ASTER, RESELLER), (BOREALIS, TECHNOLOGY)),
        "needs-and-fit",
        currency="EUR",
    ),
    Deal(
        "Field service app",
        "Lantern Energy",
        "lantern.example",
        "US",
        "energy",
        "67000.00",
        14,
        "it-software",
        ((ASTER, RESELLER),),
        "commit",
        owner="rep2@vendor.example",
        next_step="Signature by the COO",
    ),
    Deal(
        "Data platform",
        "Blue Heron Bank",
        "blueheron.example",
        "US",
        "banking",
        "560000.00",
        160,
        "cloud-msp",
        ((BOREALIS, MSP),),
        "combined-offering",
        note="The regulator must approve the hosting region.",
    ),
    Deal(
        "Disaster recovery",
        "Summit Clinics",
        "summitclinics.example",
        "SE",
        "healthcare",
        "145000.00",
        55,
        "cloud-msp",
        ((BOREALIS, MSP),),
        "technical-validation",
        owner="rep2@vendor.example",
        currency="EUR",
    ),
    Deal(
        "Cloud landing zone",
        "Ferrant Motors",
        "ferrant.example",
        "DE",
        "automotive",
        "230000.00",
        90,
        "cloud-msp",
        ((ASTER, MSP),),
        "qualify",
        currency="EUR",
        started=0,
    ),
    Deal(
        "Packaging line retrofit",
        "Cedar & Clay",
        "cedarclay.example",
        "US",
        "manufacturing",
        "720000.00",
        200,
        "manufacturing",
        ((ASTER, SI),),
        "joint-site-visit",
        next_step="Walk the line with the plant manager",
    ),
    Deal(
        "Robot welding cell",
        "Ostrava Frames",
        "ostravaframes.example",
        "CZ",
        "manufacturing",
        "385000.00",
        110,
        "manufacturing",
        ((BOREALIS, SI),),
        "joint-solution-design",
        owner="rep2@vendor.example",
        currency="EUR",
    ),
    Deal(
        "Vision inspection",
        "Meadow Dairy",
        "meadowdairy.example",
        "NL",
        "food",
        "98000.00",
        60,
        "manufacturing",
        ((ASTER, SI),),
        "inquiry",
        currency="EUR",
        started=0,
        hold="The budget is frozen until the new board meets.",
    ),
    Deal(
        "Branch network upgrade",
        "Juniper Retail",
        "juniperretail.example",
        "US",
        "retail",
        "54000.00",
        5,
        "it-software",
        ((ASTER, RESELLER),),
        "needs-and-fit",
        owner="rep2@vendor.example",
        lost=(LoseReason.COMPETITOR, "The incumbent matched the price and bundled support."),
    ),
    Deal(
        "Contract archive",
        "Quill & Partners",
        "quill.example",
        "GB",
        "legal",
        "76000.00",
        10,
        "it-software",
        ((ASTER, RESELLER),),
        "handoff",
        started=9,
        currency="GBP",
    ),
    Deal(
        "Identity platform",
        "Novera Telecom",
        "novera.example",
        "FR",
        "telecom",
        "310000.00",
        10,
        "it-software",
        ((BOREALIS, RESELLER),),
        "handoff",
        accepted=True,
        currency="EUR",
    ),
)

ANSWERS = {
    "write-handoff-brief": "Quotes take nine days; three are wanted by December. The COO measures it.",
    "hand-over-contract": "200 seats for one year, renews by itself; support from eight to eight.",
    "list-promises": "A day of training for the second site, promised to the head of operations, in May.",
    "introduce-stakeholders": "The CFO sponsors it, the service desk uses it; purchasing wanted another.",
    "name-risks": "The key user is on leave from July. Her deputy is trained first.",
    "share-delivery-plan": "Go-live in six weeks; two consultants; the customer sends data in week two.",
}
"""What the demo's people answer where a hand-off asks for it."""


FOLLOW_UP = (
    Health.AT_RISK,
    "The first hundred people are in. The second site waits for its network and grows impatient.",
    "Bring forward the network date with the partner",
)
"""What customer success heard when it called, how the customer is, and what comes next."""


def contract_ends() -> date:
    """When what is won ends: a year from today."""
    return datetime.now(UTC).date() + timedelta(days=365)


def answer(task: str | None) -> str | None:
    """What is written when the task is done; nothing for most."""
    return ANSWERS.get(task or "")


SIGN_INS: tuple[tuple[str, str], ...] = tuple(
    (email, f"{name}, {' and '.join(role.value.replace('_', ' ') for role in roles)}")
    for email, name, roles in PEOPLE
)
"""Whom one may sign in as, and what they are."""

"""The lists beside the deals: people, accounts, products."""

from __future__ import annotations

from domain.crm_import.fields import Fields
from domain.crm_import.known import Known
from domain.crm_import.mapping import AccountsFile, ImportMapping, PeopleFile, ProductsFile
from domain.crm_import.parsers import Parsers
from domain.crm_import.records import Account, Person, Product, Reject, Row
from domain.crm_import.values import email_of


class Reference:
    """What deals speak of, as the export lists it."""

    def __init__(self, mapping: ImportMapping, parsers: Parsers) -> None:
        self._mapping = mapping
        self._parse = parsers
        self._addresses: dict[str, int] = {}
        spelt = mapping.values
        self.people = Known(
            "person",
            file=mapping.people.file if mapping.people else None,
            section="owners",
            aliases=spelt.owners,
            make=lambda name: Person(name, self._address(name)),
        )
        self.accounts = Known(
            "account",
            file=mapping.accounts.file if mapping.accounts else None,
            section="customers",
            aliases=spelt.customers,
            make=Account,
        )
        self.products = Known(
            "product",
            file=mapping.products.file if mapping.products else None,
            section="products",
            aliases=spelt.products,
            make=Product,
        )

    def person(self, part: PeopleFile, row: Row) -> Reject | None:
        """A person, with an address that nobody else of the list has."""
        fields = Fields(row)
        name = self.people.new_name(fields, part.name)
        address = fields.optional(part.name, self._address) if name else None
        custom = fields.custom(part.custom)
        first = self._addresses.setdefault(address, row.line) if address else row.line
        if first != row.line and not fields.problems:
            fields.refuse(
                part.name, f"would have the address {address} of line {first}; give one under emails"
            )
        return self.people.keep(fields, name, lambda name: Person(name, address or "", custom))

    def account(self, part: AccountsFile, row: Row) -> Reject | None:
        fields = Fields(row)
        name = self.accounts.new_name(fields, part.name)
        industry = fields.optional(part.industry, self._parse.industry)
        country = fields.optional(part.country, self._parse.country)
        custom = fields.custom(part.custom)
        return self.accounts.keep(fields, name, lambda name: Account(name, industry, country, custom))

    def product(self, part: ProductsFile, row: Row) -> Reject | None:
        fields = Fields(row)
        name = self.products.new_name(fields, part.name)
        price = fields.optional(part.list_price, self._parse.amount)
        custom = fields.custom(part.custom)
        return self.products.keep(fields, name, lambda name: Product(name, price, custom))

    def _address(self, text: str) -> str:
        name = self.people.meant(text)
        return self._mapping.emails.get(name) or email_of(name, self._mapping.email_domain)

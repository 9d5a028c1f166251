"""What the vendor sells, and what its prices are worth in other currencies."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, func, text
from sqlmodel import Field, SQLModel

from db.tables.base import Edited, External, instant
from db.tables.opportunity import AMOUNT


class Product(Edited, External, SQLModel, table=True):
    """Something that is sold. List price and cost are those of one piece, in the same currency.

    The stock keeping unit is unique without regard to case. What is not active is sold no
    more; lines that name it stay as they are.
    """

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("list_price >= 0 and cost >= 0", name="price"),
        Index("uq_product_sku", func.lower(text("sku")), unique=True),
        Index(
            "uq_product_external",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_product_name_id", "name", "id"),
        Index(
            "ix_product_name_trigram", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        ),
    )

    id: UUID = Field(primary_key=True)
    sku: str
    name: str
    product_line: str | None = None
    list_price: Decimal = Field(sa_type=AMOUNT)
    cost: Decimal | None = Field(default=None, sa_type=AMOUNT)
    currency: str
    active: bool = True


class ExchangeRate(SQLModel, table=True):
    """What one unit of the base is worth in a currency. All rows are set together: one base, one version."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("rate > 0", name="rate"),)

    currency: str = Field(primary_key=True)
    base: str
    rate: Decimal = Field(sa_type=Numeric(20, 10))
    as_of: date
    version: int
    updated_at: datetime = instant()

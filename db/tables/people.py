"""Organisations, the people in them, and how people prove who they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Edited, External, Instant, TextArray, instant
from domain.calendar import UTC_ZONE


class OrganisationKind(StrEnum):
    """The vendor is one; partners are many."""

    VENDOR = "vendor"
    PARTNER = "partner"


class Organisation(Edited, External, SQLModel, table=True):
    """The vendor, or a partner. A partner's id is its organisation's id."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("kind in ('vendor', 'partner')", name="kind"),
        CheckConstraint("status in ('active', 'inactive')", name="status"),
        Index(
            "uq_organisation_external",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        # One vendor: everything a partner is not.
        Index("uq_organisation_vendor", "kind", unique=True, postgresql_where=text("kind = 'vendor'")),
        Index("ix_organisation_kind_name_id", "kind", "name", "id"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    name: str
    domain: str | None = None
    country: str | None = None
    tier: str | None = None
    status: str = "active"


class User(Edited, External, SQLModel, table=True):
    """A person of an organisation. The e-mail address is unique without regard to case."""

    __tablename__ = "user"
    __table_args__ = (
        Index("uq_user_email", func.lower(text("email")), unique=True),
        Index(
            "uq_user_external",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_user_organisation_id_name_id", "organisation_id", "name", "id"),
        Index("ix_user_name_id", "name", "id"),
    )

    id: UUID = Field(primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisation.id")
    email: str
    name: str
    roles: list[str] = Field(sa_type=TextArray)
    active: bool = True
    manager_id: UUID | None = Field(default=None, foreign_key="user.id")
    time_zone: str = UTC_ZONE
    country: str | None = None
    region: str | None = None
    """Where the public holidays are those of: a country, and a part of it."""
    working_hours: dict[str, list[str]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """As `domain.calendar.WeekHours`; None is office hours."""


class Credential(SQLModel, table=True):
    """A person's password as an argon2 hash. Without a row the person cannot sign in with a password."""

    __tablename__ = "credential"

    user_id: UUID = Field(primary_key=True, foreign_key="user.id", ondelete="CASCADE")
    password_hash: str
    changed_at: datetime = instant()


class DelegationRow(SQLModel, table=True):
    """Somebody is out of office, and another decides meanwhile. With `ended_at` it was ended by hand."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("user_id <> to_id", name="to_another"),
        CheckConstraint("ends_at > starts_at", name="ends_later"),
        Index("ix_delegation_user_id_starts_at", "user_id", text("starts_at desc"), text("id desc")),
        Index("ix_delegation_to_id", "to_id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    to_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    reason: str | None = None
    created_at: datetime = instant()
    created_by: UUID = Field(foreign_key="user.id")
    ended_at: datetime | None = Field(default=None, sa_type=Instant)

"""The tables, one module for each capability. Importing this package fills `metadata`."""

from sqlmodel import SQLModel

from db.tables.accounts import Account
from db.tables.agenda import AgendaItemRow, CalendarFeed
from db.tables.approval import ApprovalRow, ApprovalSeatRow
from db.tables.handoff import FollowUpRow, HandOffRow
from db.tables.idempotency import IdempotentRequest
from db.tables.keys import ApiKey
from db.tables.notices import MailLink, Notice, NoticeDelivery, NotificationPreference
from db.tables.opportunity import OpportunityPartnerRow, OpportunityRow, WorkItemRow
from db.tables.people import Credential, DelegationRow, Organisation, OrganisationKind, User
from db.tables.pipeline import PipelineTotal
from db.tables.playbooks import PlaybookVersion
from db.tables.policies import PolicyVersion
from db.tables.products import ExchangeRate, Product
from db.tables.sessions import UserSession
from db.tables.timeline import TimelineRow

metadata = SQLModel.metadata

__all__ = [
    "Account",
    "AgendaItemRow",
    "ApiKey",
    "ApprovalRow",
    "ApprovalSeatRow",
    "CalendarFeed",
    "Credential",
    "DelegationRow",
    "ExchangeRate",
    "FollowUpRow",
    "HandOffRow",
    "IdempotentRequest",
    "MailLink",
    "Notice",
    "NoticeDelivery",
    "NotificationPreference",
    "OpportunityPartnerRow",
    "OpportunityRow",
    "Organisation",
    "OrganisationKind",
    "PipelineTotal",
    "PlaybookVersion",
    "PolicyVersion",
    "Product",
    "TimelineRow",
    "User",
    "UserSession",
    "WorkItemRow",
    "metadata",
]

"""The durable processes. `WORKFLOWS` is what a worker runs."""

from workflows.approval import ApprovalWorkflow
from workflows.courier import CourierWorkflow
from workflows.handoff import HandOffWorkflow
from workflows.opportunity import OpportunityWorkflow
from workflows.trigger import WebhookCallWorkflow

WORKFLOWS = [OpportunityWorkflow, ApprovalWorkflow, HandOffWorkflow, CourierWorkflow, WebhookCallWorkflow]

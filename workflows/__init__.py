"""The durable processes. `WORKFLOWS` is what a worker runs."""

from workflows.approval import ApprovalWorkflow
from workflows.courier import CourierWorkflow
from workflows.opportunity import OpportunityWorkflow

WORKFLOWS = [OpportunityWorkflow, ApprovalWorkflow, CourierWorkflow]

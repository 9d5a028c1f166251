"""All durable processes: what a worker runs.

In a file of its own, which no process imports: the sandbox loads the package and the file of a
process again for each one that it begins, and should not load all the others with it.
"""

from workflows.approval import ApprovalWorkflow
from workflows.courier import CourierWorkflow
from workflows.handoff import HandOffWorkflow
from workflows.opportunity import OpportunityWorkflow
from workflows.trigger import WebhookCallWorkflow

WORKFLOWS = [OpportunityWorkflow, ApprovalWorkflow, HandOffWorkflow, CourierWorkflow, WebhookCallWorkflow]

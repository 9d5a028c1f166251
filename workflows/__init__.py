"""The durable processes. `WORKFLOWS` is what a worker runs."""

from workflows.opportunity import OpportunityWorkflow

WORKFLOWS = [OpportunityWorkflow]

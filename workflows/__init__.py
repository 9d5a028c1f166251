"""The durable processes; `workflows.registry` names them all."""

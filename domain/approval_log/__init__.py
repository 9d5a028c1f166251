"""The approvals of another organisation, as its event log tells them: learned as a policy, and replayed."""

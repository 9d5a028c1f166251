"""The time machine: deals played under a playbook, with people who behave as a file says."""

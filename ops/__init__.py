"""The bodies of the commands that operators type."""

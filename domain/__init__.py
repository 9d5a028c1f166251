"""The rules of co-selling as plain values: no I/O, no clock, no settings."""

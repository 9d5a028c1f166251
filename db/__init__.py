"""Every table, every SQL statement, and the unit of work they run in."""

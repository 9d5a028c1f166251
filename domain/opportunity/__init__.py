"""The co-sell opportunity: its state, what may be asked of it, and what follows."""

"""The generic approval: who is asked, in what order, what they say, and what follows."""

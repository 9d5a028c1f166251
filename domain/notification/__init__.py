"""How people want to be told: which kinds by which channel, at once or once a day, and when not."""

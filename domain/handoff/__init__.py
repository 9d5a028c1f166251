"""The hand-off as a process: who receives it, until when, what follows, and the renewal."""

"""Who needs their teacher now: noticed in the log, cleared by it, and what was done about it."""

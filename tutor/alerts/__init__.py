"""Who needs their teacher now: noticed in the log, cleared by it, and what teachers did about it."""

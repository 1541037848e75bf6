"""A school to try the tutor on: our own course, a simulated cohort, accounts to sign in with."""

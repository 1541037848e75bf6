"""Item response theory: how hard items are, and how able learners, on one scale that stays.

Calibrating needs scipy, torch and py-irt and is the work of a worker or of the command line.
`curves`, `ability`, `parameters` and `population` need numpy only, for the web process.
"""

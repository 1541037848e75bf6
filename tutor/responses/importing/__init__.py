"""Logs from elsewhere: read, plan, apply. A new format is one reader.

A reader turns an input into an `Incoming`: the course that the answers are about, the answers in
order, and the rows that could not be taken. The plan says what applying it would do; applying
writes in chunks, and what is in the log already is left alone, so that a killed import is simply
started again.
"""

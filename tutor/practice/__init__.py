"""Use-cases of practising: start, next item, hint, answer, finish."""

"""Whether and when a learner will have mastered a goal, forecast from their answers so far.

`following` reads a history at moments as features, `hazard` turns features into chances by a date,
`fitting` fits it, `judging` holds it against the rules of thumb in `peers` on learners it has not
met, where some never show the outcome (`censoring`, `scoring`), and `explaining` and `associations`
say what a forecast hangs on. Only `fitting` and `judging` need scikit-learn.
"""

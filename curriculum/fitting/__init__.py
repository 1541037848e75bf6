"""What policies learn from many learners: the frozen bodies of policy versions, fitted offline.

Nothing here is loaded where an item is chosen: `alp_gmm` needs scikit-learn.
"""

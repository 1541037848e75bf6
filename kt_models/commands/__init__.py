"""The commands of `python -m kt_models`, one module each; loaded when they are called."""

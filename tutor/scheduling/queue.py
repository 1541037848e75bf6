"""Names of scheduling's tasks: they are sent without loading what they need."""

LEARN = "scheduling.learn_policies"
PRUNE_PREDICTIONS = "scheduling.prune_predictions"

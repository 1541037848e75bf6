"""Names of scheduling's tasks: they are sent without loading what they need."""

LEARN = "scheduling.learn_policies"
JUDGE_NETWORKS = "scheduling.judge_networks"
COMPARE_GROUPS = "scheduling.compare_groups"
PRUNE_PREDICTIONS = "scheduling.prune_predictions"
COUNT_EXPOSURE = "scheduling.count_exposure"

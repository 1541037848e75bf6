"""The name of scheduling's task: it is sent without loading what it needs."""

LEARN = "scheduling.learn_policies"

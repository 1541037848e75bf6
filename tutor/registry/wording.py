"""What a training measured, in lines for a page or a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

FIGURES = (
    ("auc", "AUC"),
    ("log_loss", "log loss"),
    ("brier", "Brier"),
    ("ece", "calibration error"),
)


def describe_scores(scores: Mapping[str, Any]) -> list[str]:
    """Return what filter, network and pool reach, a line each, with 95 % intervals."""
    lines = []
    for who in ("filter", "deep", "pool"):
        told = scores.get(who)
        if told is None:
            continue
        figures = "; ".join(
            f"{label} {told[name][0]:.4f} ({told[name][1]:.4f} to {told[name][2]:.4f})"
            for name, label in FIGURES
            if told[name] is not None
        )
        lines.append(f"{who}: {figures}; {told['n']} answers of {told['learners']} learners")
    return lines


def describe_gates(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the gates, a line each."""
    return [f"{'passed' if gate['passed'] else 'FAILED'}: {gate['words']}" for gate in gates]

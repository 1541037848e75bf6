"""Hold the demo's estimates against the truth they were simulated from: `manage.py check_demo`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tutor.common.errors import TutorError
from tutor.demo import truth
from tutor.tracing.bands import Band


class Command(BaseCommand):
    help = (
        "Simulate the demo's cohort again, whose true states are known, and compare the estimates "
        "that the tutor stored with them. Reads only."
    )

    def handle(self, **_: Any) -> None:
        try:
            found = truth.compare()
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{found.learners} simulated learners, {len(found.estimate)} practised concepts, "
            "right after each learner's last answer.\n"
        )
        if found.left_out:
            self.stdout.write(f"{found.left_out} more have practised here since and stay out.\n")
        self.stdout.write(_measures(found))
        self.stdout.write(_bands(found))


def _measures(found: truth.Comparison) -> str:
    truths = (found.on_bank, found.on_item)
    within = [truth.correlation_within(found.estimate, one, found.concept) for one in truths]
    rows = [
        ("correlation", [truth.correlation(found.estimate, one) for one in truths]),
        ("  between learners on one concept", within),
        ("mean of the truth", [float(one.mean()) for one in truths]),
        ("mean of the estimates", [float(found.estimate.mean())] * 2),
        ("calibration error", [truth.calibration_error(found.estimate, one) for one in truths]),
    ]
    lines = [f"\n{'true P(right) on':<36}{'all items':>12}{'median item':>14}"]
    lines += [f"{name:<36}{on_bank:>12.3f}{on_item:>14.3f}" for name, (on_bank, on_item) in rows]
    return "\n".join(lines)


def _bands(found: truth.Comparison) -> str:
    lines = [f"\n{'band shown':<36}{'concepts':>12}{'true P(right)':>14}"]
    for band in Band:
        own = [index for index, one in enumerate(found.band) if one is band]
        mean = f"{found.on_bank[own].mean():.3f}" if own else "-"
        lines.append(f"{band.label:<36}{len(own):>12}{mean:>14}")
    return "\n".join(lines)

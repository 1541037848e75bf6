"""How the admin asks for a decision about difficulties, and passes it on in the person's name."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest

from tutor.calibration.models import DifficultyOverride, ItemCalibration
from tutor.common.errors import TutorError


class ReasonForm(ActionForm):
    """Why something is decided."""

    reason = forms.CharField(max_length=300, required=False)


class DifficultyForm(ReasonForm):
    """How hard an item is in somebody's judgement, and why."""

    difficulty = forms.FloatField(required=False, help_text="logits; larger is harder")
    se = forms.FloatField(required=False, label="standard error")
    answers_move_it = forms.BooleanField(required=False)


class DecidedForm(forms.Form):
    """What `DifficultyForm` brings, where a difficulty is set."""

    difficulty = forms.FloatField()
    se = forms.FloatField()
    answers_move_it = forms.BooleanField(required=False)


def told_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return the figures that were filled in, or None where one is missing or no number."""
    form = DecidedForm(request.POST)
    if not form.is_valid():
        return None
    told = form.cleaned_data
    is_held = not told["answers_move_it"]
    return {"difficulty": told["difficulty"], "se": told["se"], "is_held": is_held}


def decide_by_hand(
    page: admin.ModelAdmin,
    request: HttpRequest,
    row: ItemCalibration | DifficultyOverride,
    decide: Callable[..., DifficultyOverride],
) -> None:
    """Decide about the row's item version in the person's name, and say what follows."""
    slug = row.version.item.slug
    try:
        decide(actor=request.user, reason=request.POST.get("reason", ""))
    except TutorError as error:
        page.message_user(request, f"{slug}: {error.message}", messages.ERROR)
    else:
        text = (
            "noted. It holds from the next promotion on; where a calibration is in use, it is to "
        )
        page.message_user(request, f"{slug}: {text}be put to use again: see calibration jobs.")

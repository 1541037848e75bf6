"""What is learnt and said, for staff to look at."""

from django.contrib import admin

from tutor.accounts.administration import ReadOnlyAdmin
from tutor.outlook.models import Forecast, OutlookVersion


@admin.register(OutlookVersion)
class OutlookVersionsAdmin(ReadOnlyAdmin):
    """Fitted forecasts with their figures on learners they had not met."""

    organisation_path = "course__organisation"
    list_display = ("at", "course", "counts")
    list_select_related = ("course",)
    ordering = ("-id",)


@admin.register(Forecast)
class ForecastsAdmin(ReadOnlyAdmin):
    """What was said of whom, night by night."""

    organisation_path = "learner__organisation"
    list_display = ("at", "learner", "assignment", "chance", "is_at_risk")
    list_select_related = ("learner__user", "assignment")
    ordering = ("-id",)

"""How exposed the items of a course are."""

from django.db import models

from tutor.common.append_only import AppendOnlyModel
from tutor.content.models import Course


class ItemExposure(AppendOnlyModel):
    """How many learners of a course were given each item in the thirty days before a night.

    A choice takes the newest that holds on its day, so that it can be made again later.
    """

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    # The first day on which it holds, in UTC: the day after the count, so that no process is
    # ahead of another.
    day = models.DateField()
    # Learners who were given anything.
    learners = models.PositiveIntegerField()
    # Item id -> how many of them were given it.
    given = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "day"], name="item_exposure_once")]

    def __str__(self) -> str:
        return f"{self.course_id} from {self.day}"

"""The Django project: a tutor that keeps every answer, estimates mastery and chooses the next item."""

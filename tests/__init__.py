"""Tests. They mirror the packages; servers/ starts what they need, journeys/ go end to end."""

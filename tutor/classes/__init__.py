"""Classes, enrolment, teaching and assignments."""

"""Anticipated failures of courses and templates."""

from collections.abc import Sequence

from tutor.common.errors import TutorError


class TemplateInvalid(TutorError):
    """An item body cannot be turned into a question; its author must change it."""

    code = "content.template-invalid"
    status = 422


class ValueUndefined(TemplateInvalid):
    """An expression has no exact value for these parameters (0 in a denominator, root of 7)."""

    code = "content.value-undefined"


class CourseInvalid(TutorError):
    """A course folder has mistakes; `problems` lists every one of them."""

    code = "content.course-invalid"
    status = 422

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep all problems, each a full sentence that names file, item and field."""
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__(f"{head} in the course:\n" + "\n".join(self.problems), count=count)


class PictureMissing(TemplateInvalid):
    """A text names a picture that the course does not have, for these parameters."""

    code = "content.picture-missing"


class PictureRefused(TutorError):
    """A file cannot be shown as a picture; the message says why and what to do."""

    code = "content.picture-refused"
    status = 422

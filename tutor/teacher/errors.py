"""What a teacher's page refuses."""

from tutor.common.errors import TutorError


class FilterUnknown(TutorError):
    """The address asks for a choice of topics, learners or dates that there is not."""

    code = "teacher.filter-unknown"


class ExportUnknown(TutorError):
    """There is no export of that name or format."""

    code = "teacher.export-unknown"
    status = 404

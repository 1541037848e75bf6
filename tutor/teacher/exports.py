"""What the panel shows as tables for files: made from what the pages are made from."""

from collections.abc import Callable
from functools import cached_property

from tutor.alerts import selectors as alerts
from tutor.alerts import wording
from tutor.classes.models import Classroom
from tutor.practice import grades
from tutor.practice.progress_lines import Line
from tutor.responses.tallies import Tally
from tutor.teacher import activity, needs, wrong_answers
from tutor.teacher.activity import Activity
from tutor.teacher.overview import BANDS, Cell, Grid, Row
from tutor.teacher.sheets import Table, Value
from tutor.tracing.bands import Band, percent_of

MISTAKES = 500
BY_TEACHER = "teacher"
CHANCES = ("Chance on a typical question, %", "95 % sure: at least, %")
SUMS = (
    "Answers",
    "Right without help",
    "Right without help, %",
    "Answers after hints",
    "Hints",
    "Minutes",
)


class Source:
    """A class as its pages show it; what several tables need is made once."""

    def __init__(self, classroom: Classroom, grid: Grid) -> None:
        """Take the class and the grid that the filters leave."""
        self.classroom, self.grid = classroom, grid

    @cached_property
    def activity(self) -> Activity:
        """What the learners of the grid did within its dates."""
        return activity.find_activity(classroom=self.classroom, grid=self.grid)


def bands_table(source: Source) -> Table:
    """Return the grid as it is seen: a row per learner, a band per concept."""
    grid, labels = source.grid, _labels()
    rows = tuple(
        (*_who(grid, row), *(_said(grid.cell(row, column), labels) for column in grid.columns))
        for row in grid.rows
    )
    columns = (*_who_columns(grid), *(column.name for column in grid.columns))
    return Table("Bands", columns, rows)


def masteries_table(source: Source) -> Table:
    """Return a row per learner and concept, with what the band rests on."""
    grid, labels, rows = source.grid, _labels(), list[tuple[Value, ...]]()
    for row in grid.rows:
        who = _who(grid, row)
        for column in grid.columns:
            cell = grid.cell(row, column)
            said = (labels[cell.band], cell.evidence_n, cell.percent, cell.lower_percent)
            by = BY_TEACHER if cell.is_set_by_teacher else ""
            rows.append((*who, column.slug, column.name, *said, by))
    columns = (*_who_columns(grid), "Topic key", "Topic", "Band", "Answers", *CHANCES, "Band by")
    return Table("Estimates", columns, tuple(rows))


def topics_table(source: Source) -> Table:
    """Return a row per concept: learners in each band, and what was answered within the dates."""
    sums = {slug: tally for slug, _, tally in source.activity.concepts}
    rows = tuple(
        (
            column.slug,
            column.name,
            *column.counts.values(),
            *_sums(sums.get(column.slug, Tally())),
        )
        for column in source.grid.columns
    )
    bands = (band.label.capitalize() for band in BANDS)
    return Table("Topics", ("Topic key", "Topic", *bands, *SUMS), rows)


def learners_table(source: Source) -> Table:
    """Return a row per learner: what they did within the dates, and how many topics they master."""
    grid = source.grid
    rows = tuple(
        (
            *_who(grid, line.row),
            line.row.mastered,
            *_sums(line.tally),
            line.days,
            line.tally.last_at,
        )
        for line in source.activity.learners
    )
    columns = (*_who_columns(grid), "Topics mastered", *SUMS, "Days", "Last answer")
    return Table("Learners", columns, rows)


def weeks_table(source: Source) -> Table:
    """Return a row per week within the dates."""
    rows = tuple(
        (
            week.begins,
            week.learners,
            week.answers,
            week.right,
            None if week.share_right is None else percent_of(week.share_right),
            week.minutes,
            week.awards,
        )
        for week in source.activity.weeks
    )
    columns = ("Week from", "Learners", *SUMS[:3], "Minutes", "Awards so far")
    return Table("Weeks", columns, rows)


def mistakes_table(source: Source) -> Table:
    """Return the wrong first answers within the dates, those of most learners first."""
    classroom, grid = source.classroom, source.grid
    ids = [row.learner.pk for row in grid.rows]
    scope = activity.scope_of(
        classroom=classroom,
        learner_ids=ids,
        filters=grid.filters,
        concepts=grid.filters.concept_ids,
    )
    found = wrong_answers.find_mistakes(
        scope, course=classroom.course, most=MISTAKES, with_typed=not grid.are_names_hidden
    )
    rows = tuple(
        (one.item, one.shown.stem, one.text, one.misconception, one.learners, one.answers)
        for one in found.answers
    )
    columns = ("Question", "For example", "Answer", "Misconception", "Learners", "Answers")
    return Table("Wrong answers", columns, rows)


def grades_table(source: Source) -> Table:
    """Return a row per learner and assignment of the class, by the rule that holds."""
    grid = source.grid
    _, assignments, found = grades.list_class(
        classroom=source.classroom, learners=[row.learner for row in grid.rows], at=grid.at
    )
    rows = tuple(
        (
            *_who(grid, row),
            assignment.title,
            str(assignment.public_id),
            grade.percent,
            grade.reached,
            grade.whole,
            "excused" if grade.is_excused else "",
        )
        for assignment in assignments
        for row in grid.rows
        if (grade := found.get((row.learner.pk, assignment.pk))) is not None
    )
    columns = ("Assignment", "Assignment key", "Grade, %", "Reached", "Of", "Excused")
    return Table("Grades", (*_who_columns(grid), *columns), rows)


def needs_table(source: Source) -> Table:
    """Return a row per reason why somebody of the grid needs their teacher, as the page has it."""
    grid, labels = source.grid, {row.learner.pk: row for row in source.grid.rows}
    found = alerts.find_needs(classrooms=[source.classroom], at=grid.at)[source.classroom.pk]
    rows: list[tuple[Value, ...]] = []
    for place, need, alert, leads in needs.list_reasons(found):
        if need.learner is None:
            who = ("The whole class", "")[: len(_who_columns(grid))]
        elif need.learner.pk in labels:
            who = _who(grid, labels[need.learner.pk])
        else:
            continue
        said = wording.say(alert.kind, alert.facts, at=grid.at)
        rows.append((place, *who, alert.kind.label, "yes" if leads else "", said))
    columns = ("Place", *_who_columns(grid), "Reason", "Leads", "Why")
    return Table("Who needs you", columns, tuple(rows))


TABLES: dict[str, Callable[[Source], Table]] = {
    "needs": needs_table,
    "bands": bands_table,
    "estimates": masteries_table,
    "topics": topics_table,
    "learners": learners_table,
    "weeks": weeks_table,
    "wrong-answers": mistakes_table,
    "grades": grades_table,
}


def learner_table(lines: tuple[Line, ...]) -> Table:
    """Return a learner's concepts as their page has them."""
    rows = tuple(
        (
            line.slug,
            line.name,
            line.mastery.band.label,
            line.mastery.evidence_n,
            percent_of(line.mastery.prob),
            percent_of(line.mastery.lower_prob),
            line.last_day,
            line.awarded_at,
            BY_TEACHER if line.mastery.is_set_by_teacher else "",
        )
        for line in lines
    )
    said = ("Topic key", "Topic", "Band", "Answers", *CHANCES, "Last practised", "Awarded")
    return Table("Topics", (*said, "Band by"), rows)


def _said(cell: Cell, labels: dict[Band, str]) -> str:
    label = labels[cell.band]
    return f"{label} (set by {BY_TEACHER})" if cell.is_set_by_teacher else label


def _labels() -> dict[Band, str]:
    """Return the bands' words; looking each up twenty thousand times would take longer."""
    return {band: band.label for band in BANDS}


def _who_columns(grid: Grid) -> tuple[str, ...]:
    return ("Learner",) if grid.are_names_hidden else ("Learner", "Pseudonym")


def _who(grid: Grid, row: Row) -> tuple[str, ...]:
    return (row.name,) if grid.are_names_hidden else (row.name, str(row.learner.pseudonym))


def _sums(tally: Tally) -> tuple[Value, ...]:
    share = None if tally.share_right is None else percent_of(tally.share_right)
    return (tally.answers, tally.right, share, tally.helped, tally.hints, tally.minutes)

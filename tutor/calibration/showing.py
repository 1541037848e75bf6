"""Runs and items in words and tables, for pages and the terminal. Light."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tutor.calibration import selectors
from tutor.calibration.models import CalibrationRun, DifficultyOverride, ItemCalibration
from tutor.content.models import Item, ItemVersion

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

GROUP_COLUMNS = (
    *("item", "group", "n", "n of reference", "ETS class", "D-DIF", "error", "p"),
    *("uniform p", "non-uniform p", "R² gained"),
)
HISTORY_COLUMNS = (
    *("version", "when", "calibration", "n", "by answers", "with what was expected", "by hand"),
    "flags",
)
ITEM_COLUMNS = (
    *("item", "n", "by answers", "with what was expected", "discrimination", "by hand", "flags"),
)
_NOTHING = "-"


def describe_gates(run: CalibrationRun) -> list[str]:
    """Return the run's conditions with what was found, in lines."""
    lines = []
    for gate in run.gates:
        failed = "FAILED" if gate.get("blocks", True) else "look at it"
        passed = "passed" if gate["passed"] else failed
        lines.append(f"  {gate['name']}: {gate['value']:.4g} ({passed})")
    return lines


def describe_groups(run: CalibrationRun) -> list[str]:
    """Return what was compared between groups, in lines; the items stand in `tabulate_groups`."""
    if run.groups is None:
        return ["No groups of learners were compared: there were less than two."]
    told = run.groups
    sizes = ", ".join(
        f"{name or 'in none or several'}: {size}"
        for name, size in sorted(told["sizes"].items(), key=_none_last)
    )
    classes = [row["mantel_haenszel"]["ets"] for row in told["items"] if row["mantel_haenszel"]]
    counts = ", ".join(f"{classes.count(one)} {one}" for one in "ABC")
    too_small = (
        f"{told['too_small']} pairs of item and group had fewer than 200 answers on a side and "
        "were not judged."
    )
    return [
        f"Items compared between groups by {told['by']}; learners {sizes}.",
        f"Reference: {told['reference']}. ETS classes: {counts}; {too_small}",
        "Nothing follows by itself: look at the item before you decide.",
    ]


def _none_last(group: tuple[str, int]) -> tuple[bool, str]:
    return not group[0], group[0]


def tabulate_groups(run: CalibrationRun, *, most: int | None = None) -> Table:
    """Return the comparisons that could be made, the largest differences first.

    D-DIF below 0 works against the group; |D| from 1 on is class B, from 1.5 on C, if sure enough.
    """
    rows = [] if run.groups is None else list(run.groups["items"])
    rows.sort(key=lambda row: -abs((row["mantel_haenszel"] or {}).get("delta", 0.0)))
    shown = rows[:most]
    found = ItemVersion.objects.filter(pk__in=[row["version"] for row in shown])
    names = {version.pk: str(version) for version in found.select_related("item")}
    return GROUP_COLUMNS, [_group_row(row, names) for row in shown]


def _group_row(row: dict[str, Any], names: dict[int, str]) -> tuple[str, ...]:
    mh, logistic = row["mantel_haenszel"] or {}, row["logistic"] or {}
    return (
        names.get(row["version"], _NOTHING),
        row["focal"],
        str(row["n_focal"]),
        str(row["n_reference"]),
        mh.get("ets", _NOTHING),
        _figure(mh.get("delta"), "+.2f"),
        _figure(mh.get("delta_se"), ".2f"),
        _figure(mh.get("p"), ".3g"),
        _figure(logistic.get("p_uniform"), ".3g"),
        _figure(logistic.get("p_nonuniform"), ".3g"),
        _figure(logistic.get("r2_change"), ".3f"),
    )


def tabulate_history(item: Item) -> Table:
    """Return what runs found about the item's versions and persons decided, newest first."""
    runs = ItemCalibration.objects.filter(version__item=item)
    told = [
        (row.run.created_at, _run_row(row))
        for row in runs.select_related("run", "version__item", "override")
    ]
    decided = DifficultyOverride.objects.filter(version__item=item)
    told += [(row.at, _hand_row(row)) for row in decided.select_related("version__item", "actor")]
    told.sort(key=lambda one: one[0], reverse=True)
    return HISTORY_COLUMNS, [row for _, row in told]


def _run_row(row: ItemCalibration) -> tuple[str, ...]:
    return (
        str(row.version),
        f"{row.run.created_at:%Y-%m-%d %H:%M}",
        str(row.run.number),
        str(row.n),
        _with_error(row.difficulty, row.difficulty_se),
        _with_error(row.pooled_difficulty, row.pooled_se),
        _NOTHING if row.override is None else str(row.override),
        ", ".join(row.flags),
    )


def _hand_row(row: DifficultyOverride) -> tuple[str, ...]:
    who = "the operator" if row.actor is None else row.actor.get_username()
    nothing = (_NOTHING,) * 4
    return (str(row.version), f"{row.at:%Y-%m-%d %H:%M}", *nothing, f"{row} ({who})", "")


def tabulate_items(run: CalibrationRun) -> Table:
    """Return what the run says of every item version, and what holds by hand on its scale now."""
    by_hand, _ = selectors.list_overrides(course_id=run.course_id, run=run)
    rows = [
        (
            str(row.version),
            str(row.n),
            _with_error(row.difficulty, row.difficulty_se),
            _with_error(row.pooled_difficulty, row.pooled_se),
            _with_error(row.discrimination, row.discrimination_se),
            str(by_hand.get(row.version_id, _NOTHING)),
            ", ".join(row.flags),
        )
        for row in selectors.list_items(run=run)
    ]
    return ITEM_COLUMNS, rows


def _with_error(value: float | None, error: float | None) -> str:
    return f"{_figure(value, '+.2f')} ± {_figure(error, '.2f')}"


def _figure(value: float | None, form: str) -> str:
    return _NOTHING if value is None else format(value, form)


def as_html(
    lines: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> SafeString:
    """Return lines and a table for a page; nothing in them is taken for HTML."""
    text = format_html_join("", "<p>{}</p>", ((line,) for line in lines))
    if not rows:
        return text or format_html("<p>{}</p>", "Nothing yet.")
    head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in columns))
    cells = (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ((row,) for row in cells))
    table = "{}<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
    return format_html(table, text, head, body)


def as_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in lines for a terminal."""
    widths = [max(map(len, own)) for own in zip(columns, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (columns, *rows)
    ]

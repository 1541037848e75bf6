"""What is wrong with a page as HTML: the standard's parse errors, and what a parser lets pass."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from justhtml import JustHTML

POINTERS = ("aria-labelledby", "aria-describedby", "aria-controls", "for")
INTERACTIVE = {"a", "button", "input", "select", "textarea", "summary"}
# What may stand directly in these.
CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd", "div"},
    "tr": {"th", "td"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot"},
    "select": {"option", "optgroup"},
}
FIELDS = {"input", "select", "textarea"}


def problems(html: str) -> list[str]:
    """Return what is wrong, in words; empty for a sound page."""
    document = JustHTML(html, collect_errors=True, sanitize=False)
    found = [f"line {error.line}: {error.code}" for error in document.errors]
    nodes = list(_elements(document.root))
    found += [problem for check in CHECKS for problem in check(nodes)]
    return found


def _elements(node) -> Iterator:
    for child in node.children or ():
        if not child.name.startswith(("#", "!")):
            yield child
            yield from _elements(child)


def _ancestors(node) -> Iterator:
    while node.parent is not None:
        node = node.parent
        yield node


def _ids(nodes) -> Iterator[str]:
    counts = Counter(node.attrs["id"] for node in nodes if "id" in node.attrs)
    yield from (f"id {name} twice" for name, count in counts.items() if count > 1)
    for node in nodes:
        for attribute in POINTERS:
            for name in (node.attrs.get(attribute) or "").split():
                if name not in counts:
                    yield f"{node.name} {attribute}={name} points nowhere"


def _nesting(nodes) -> Iterator[str]:
    for node in nodes:
        above = [parent.name for parent in _ancestors(node)]
        if node.name in INTERACTIVE and {"a", "button"} & set(above):
            yield f"{node.name} inside {above}"
        if node.name == "form" and "form" in above:
            yield "a form in a form"
        allowed = CHILDREN.get(above[0]) if above else None
        if allowed and node.name not in allowed and node.name not in {"script", "template"}:
            yield f"{node.name} directly in {above[0]}"


def _headings(nodes) -> Iterator[str]:
    levels = [int(node.name[1]) for node in nodes if node.name in {"h1", "h2", "h3", "h4", "h5"}]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} first-level headings"
    yield from (f"h{a} then h{b}" for a, b in pairwise(levels) if b > a + 1)


def _names(nodes) -> Iterator[str]:
    labelled = {node.attrs["for"] for node in nodes if node.name == "label" and "for" in node.attrs}
    for node in nodes:
        if node.name in FIELDS and node.attrs.get("type") not in {"hidden", "submit"}:
            is_inside = any(parent.name == "label" for parent in _ancestors(node))
            if not (is_inside or node.attrs.get("id") in labelled or "aria-label" in node.attrs):
                yield f"{node.name} {node.attrs.get('name')} has no label"
        if node.name in {"a", "button"} and not node.to_text().strip():
            yield f"{node.name} {node.attrs.get('href', '')} has no name"
        if node.name == "img" and "alt" not in node.attrs:
            yield "img without alt"
        if "style" in node.attrs or any(name.startswith("on") for name in node.attrs):
            yield f"{node.name} carries a style or script of its own"


def _document(nodes) -> Iterator[str]:
    drawn = {"svg", "math"}
    names = Counter(n.name for n in nodes if not drawn & {above.name for above in _ancestors(n)})
    if names["main"] != 1 or names["title"] != 1:
        yield "not one main and one title"
    if not next(node for node in nodes if node.name == "html").attrs.get("lang"):
        yield "no language"


CHECKS = (_ids, _nesting, _headings, _names, _document)

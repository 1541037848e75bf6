"""OATutor's content as courses: one for each course plan, with the steps of its skills as items.

As in OATutor, a step belongs to a course when a lesson of the course names one of its skills,
whichever book the problem was written for.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tutor.content.course_format import ConceptSpec, CourseSpec
from tutor.content.importing import names
from tutor.content.importing.listed import Listed, Unfit
from tutor.content.importing.oatutor_files import (
    OATutorFiles,
    iter_problems,
    read_skills,
)
from tutor.content.importing.oatutor_pictures import (
    Alternatives,
    OATutorPictures,
    Placed,
    with_pictures,
)
from tutor.content.importing.oatutor_plans import Plan
from tutor.content.importing.oatutor_records import MALFORMED, RawProblem, read_problem
from tutor.content.importing.oatutor_steps import StepResult, convert_problem, with_concepts
from tutor.content.importing.wording import wording_of
from tutor.content.item_spec import ItemSpec
from tutor.content.picture_files import PictureFile

TWICE = "problem or step that is named twice"
NO_SKILL = "step without a skill"
NO_ITEM = "skill of which no step could be taken"
# Credits that get a line of their own.
MOST_CREDITS = 5
Skills = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Converted:
    """Courses from OATutor's content, and all that was left out.

    Attributes:
        steps: steps read that belong to one of the courses.
        taken: those of them that are items now; a step may be an item of several courses.
        notes: what was taken with a loss, such as a hint; columns as `listed`.
    """

    courses: tuple[CourseSpec, ...]
    steps: int
    taken: int
    listed: tuple[Listed, ...] = field(repr=False)
    notes: tuple[Listed, ...] = field(repr=False)


def count_steps(plans: Sequence[Plan], skills: Skills) -> dict[str, tuple[int, int]]:
    """Return for each course's slug how many of its skills are used, and by how many steps."""
    steps_of = Counter(skill for own in skills.values() for skill in own)
    return {
        plan.slug: (
            sum(skill in steps_of for skill in plan.skills),
            sum(any(skill in plan.skills for skill in own) for own in skills.values()),
        )
        for plan in plans
    }


def count_all(plans: Sequence[Plan], skills: Skills) -> int:
    """Return how many steps belong to at least one of the courses."""
    wanted = {skill for plan in plans for skill in plan.skills}
    return sum(not wanted.isdisjoint(own) for own in skills.values())


def convert(
    content: OATutorFiles,
    *,
    plans: Sequence[Plan],
    skills: Skills | None = None,
    alternatives: Alternatives | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Converted:
    """Return the courses of these plans.

    Args:
        content: where the files are.
        plans: courses wanted.
        skills: step -> skills; read from the content if not given.
        alternatives: what the pictures show, in words; a picture without is not taken.
        progress: called with the number of steps dealt with since the last call.

    Raises:
        ContentUnreadable: a file as a whole cannot be read.
    """
    pictures = OATutorPictures(content, alternatives or {})
    conversion = _Conversion(plans, read_skills(content) if skills is None else skills, pictures)
    return conversion.run(content, progress)


class _Conversion:
    """Collects items, problem by problem; each step is judged once in each language."""

    def __init__(self, plans: Sequence[Plan], skills: Skills, pictures: OATutorPictures) -> None:
        self.plans = plans
        self.pictures = pictures
        self.files: dict[str, dict[str, PictureFile]] = {plan.slug: {} for plan in plans}
        self.skills = skills
        self.items: dict[str, list[ItemSpec]] = {plan.slug: [] for plan in plans}
        self.licences: dict[str, Counter[str]] = {plan.slug: Counter() for plan in plans}
        self.wanted = {skill for plan in plans for skill in plan.skills}
        self.seen: set[str] = set()
        self.listed: list[Listed] = []
        self.notes: list[Listed] = []
        self.steps = self.taken = 0

    def run(self, content: OATutorFiles, progress: Callable[[int], object]) -> Converted:
        for found in iter_problems(content, steps=self._wanted_steps()):
            if found.error:
                self.listed.append(Listed(found.where, "", MALFORMED, found.error))
                continue
            placed = self.pictures.place(found.data)
            try:
                problem = read_problem(placed.data)
            except Unfit as unfit:
                self.listed.append(Listed(found.where, "", unfit.reason, unfit.detail))
                continue
            progress(self._take(problem, placed))
        return Converted(
            courses=tuple(self._course(plan) for plan in self.plans),
            steps=self.steps,
            taken=self.taken,
            listed=tuple(self.listed),
            notes=tuple(self.notes),
        )

    def _wanted_steps(self) -> frozenset[str]:
        return frozenset(step for step, own in self.skills.items() if self.wanted & set(own))

    def _take(self, problem: RawProblem, placed: Placed) -> int:
        ids = [step.id for step in problem.steps]
        if problem.id in self.seen or len(set(ids)) < len(ids):
            self.listed.append(Listed(problem.id, "", TWICE))
            return 0
        self.seen.add(problem.id)
        self.listed += [
            Listed(problem.id, step, NO_SKILL) for step in ids if not self.skills.get(step)
        ]
        wanted = {step for step in ids if self.wanted & set(self.skills.get(step, ()))}
        if not wanted:
            return 0
        self.steps += len(wanted)
        self.notes += placed.listed
        languages = dict.fromkeys(
            plan.language for plan in self.plans if self._of_plan(plan, wanted)
        )
        for number, language in enumerate(languages):
            results = convert_problem(problem, wording=wording_of(language))
            kept = [_shown(result, placed) for result in results if result.step in wanted]
            self._keep_files(kept, placed, language)
            self._place(problem, kept, language, is_first=number == 0)
        return len(wanted)

    def _keep_files(self, results: list[StepResult], placed: Placed, language: str) -> None:
        by_path = {path: file for path, _, file in placed.pictures}
        for result in results:
            for plan in self.plans:
                is_own = plan.language == language and self._of_plan(plan, [result.step])
                if result.item is not None and is_own:
                    own = [by_path[path] for path in result.item.pictures]
                    self.files[plan.slug] |= {file.digest: file for file in own}

    def _of_plan(self, plan: Plan, steps: Iterable[str]) -> bool:
        return any(skill in plan.skills for step in steps for skill in self.skills[step])

    def _place(
        self, problem: RawProblem, results: list[StepResult], language: str, *, is_first: bool
    ) -> None:
        for result in results:
            if is_first:
                self.taken += result.item is not None
                rows = self.listed if result.item is None else self.notes
                rows += result.listed
            if result.item is None:
                continue
            for plan in self.plans:
                own = [skill for skill in self.skills[result.step] if skill in plan.skills]
                if own and plan.language == language:
                    slugs = tuple(names.slug_of(skill) for skill in own)
                    self.items[plan.slug].append(with_concepts(result.item, slugs))
                    self.licences[plan.slug][f"{problem.source} · {problem.licence}"] += 1

    def _course(self, plan: Plan) -> CourseSpec:
        used = {concept for item in self.items[plan.slug] for concept in item.concepts}
        concepts = []
        for skill, lesson in plan.skills.items():
            slug = names.slug_of(skill)
            if slug in used:
                concepts.append(ConceptSpec(slug, names.readable(skill), lesson))
            else:
                self.notes.append(Listed(plan.title, "", NO_ITEM, skill))
        return CourseSpec(
            slug=plan.slug,
            title=plan.title,
            language=plan.language,
            concepts=tuple(concepts),
            misconceptions=(),
            items=tuple(self.items[plan.slug]),
            source=_source(plan, self.licences[plan.slug]),
            pictures=tuple(self.files[plan.slug].values()),
        )


def _shown(result: StepResult, placed: Placed) -> StepResult:
    """Return a step's result with the pictures that it shows."""
    if result.item is None or not placed.pictures:
        return result
    return dataclasses.replace(result, item=with_pictures(result.item, placed))


def _source(plan: Plan, licences: Counter[str]) -> str:
    """Return where the course comes from and its licence, as the attribution asks for."""
    changed = "each step became a question of its own, formulas and hints were converted."
    lines = [f"{plan.title}, from OATutor (https://www.oatutor.io). Changed: {changed}"]
    if plan.source or plan.licence:
        lines.append(f"Course: {' · '.join(part for part in (plan.source, plan.licence) if part)}")
    ordered = sorted(licences.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [(licence.strip(" ·"), count) for licence, count in ordered if licence.strip(" ·")]
    lines += [f"{count} questions: {licence}" for licence, count in named[:MOST_CREDITS]]
    rest = named[MOST_CREDITS:]
    if rest:
        others = "; ".join(licence for licence, _ in rest)
        lines.append(f"{sum(count for _, count in rest)} questions: {others}")
    return "\n".join(lines)

"""The small content in OATutor's format, and parts of it."""

import json
import shutil
from pathlib import Path

from tests.servers.process import ROOT
from tutor.content.importing import oatutor, oatutor_files, oatutor_plans, sources
from tutor.content.importing.oatutor_records import read_problem

SMALL = ROOT / "tests" / "data" / "oatutor_small"
PROBLEM = {"id": "p1", "title": "A title", "body": "A body.", "variabilization": {}}


def copy_small(folder: Path) -> Path:
    """A copy of the small content, to change."""
    return Path(shutil.copytree(SMALL, folder / "oatutor"))


def convert(path: Path, *courses: str) -> oatutor.Converted:
    content = oatutor_files.find_content(sources.open_files(path))
    plans = oatutor_plans.read_plans(content.read_json(oatutor_files.PLANS))
    return oatutor.convert(content, plans=oatutor_plans.choose(plans, courses))


def read_folder(problem: Path) -> dict:
    """A problem's folder as one mapping, as a line of the one-file form holds it."""
    data = json.loads((problem / f"{problem.name}.json").read_text(encoding="utf-8"))
    data["steps"] = []
    for step in sorted((problem / "steps").iterdir()):
        own = json.loads((step / f"{step.name}.json").read_text(encoding="utf-8"))
        own["tutoring"] = {
            path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in (step / "tutoring").iterdir()
        }
        data["steps"].append(own)
    return data


def as_one_file(folder: Path) -> Path:
    """Rewrite the content at `folder` into its one-file form."""
    problems = [read_folder(path) for path in sorted((folder / "content-pool").iterdir())]
    lines = [json.dumps(problem, ensure_ascii=False) for problem in problems]
    (folder / "problems.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.rmtree(folder / "content-pool")
    return folder


def step_data(letter="a", *, answer="$$4$$", **fields):
    defaults = {
        "id": f"p1{letter}",
        "stepAnswer": [answer] if isinstance(answer, str) else answer,
        "problemType": "TextBox",
        "answerType": "arithmetic",
        "stepTitle": "What is two and two?",
        "stepBody": "",
        "variabilization": {},
        "tutoring": {},
    }
    return {**defaults, **fields}


def problem(*steps, **fields):
    return read_problem({**PROBLEM, "steps": list(steps or [step_data()]), **fields})

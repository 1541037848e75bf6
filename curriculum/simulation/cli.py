"""`python -m curriculum simulate`: policies with simulated learners, as tables and a picture."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from curriculum.bandits import POLICIES, BasePolicy, make_policy
from curriculum.policy_argument import parse_policy
from curriculum.simulation.decision_notes import DecisionNotes
from curriculum.simulation.errors import CannotWrite
from curriculum.simulation.judging import BASELINES, Verdict, judge
from curriculum.simulation.matrix import NAMES, Cell, Plan, count_steps, draw_matrix
from curriculum.simulation.matrix_pictures import draw_gains
from curriculum.simulation.matrix_tables import matrix_csv, matrix_json, matrix_markdown
from curriculum.simulation.timetable import Timetable

JUDGED = "gain-softmax"
DEFAULT_POLICIES = (JUDGED, *BASELINES, "sec")
LEARNERS, MINUTES = 30, 45.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--simulator",
        action="append",
        metavar="NAME",
        help=f"kind of learner, repeatable; all by default: {', '.join(NAMES)}",
    )
    parser.add_argument(
        "--policy",
        action="append",
        metavar="NAME[=FILE]",
        help="policy, repeatable, with a JSON file of its parameters if not its defaults; "
        f"known: {', '.join(POLICIES)}; by default: {', '.join(DEFAULT_POLICIES)}",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--learners", type=int, default=LEARNERS, help="per simulator")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of practice per learner")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--decisions",
        action="store_true",
        help="write decisions-SIMULATOR-POLICY.jsonl, the log that `evaluate` reads, too",
    )


def run_command(options: argparse.Namespace) -> None:
    """Draw the matrix and write it.

    Raises:
        CurriculumError: an unknown name, an impossible number or a folder that cannot be written
            to, told in one message.
    """
    policies = dict(_policy(one) for one in options.policy or DEFAULT_POLICIES)
    plan = Plan(
        simulators=tuple(dict.fromkeys(options.simulator or NAMES)),
        learners=options.learners,
        seed=options.seed,
        timetable=Timetable(minutes=options.minutes),
    )
    _require_folder(options.out)
    steps = count_steps(plan, len(policies))
    with tqdm(total=steps, unit=" learners", disable=None, leave=False) as bar:

        def tell(what: str) -> None:
            bar.set_description(what, refresh=False)
            bar.update(1)

        notes = DecisionNotes(policies) if options.decisions else None
        cells = draw_matrix(plan, policies, progress=tell, listen=notes.listen if notes else None)
    verdict = judge(cells, next(iter(policies)), seed=plan.seed)
    _write(plan, cells, policies, verdict, options.out)
    if notes is not None:
        notes.write(options.out)
    _report(cells, verdict, options.out)


def _policy(text: str) -> tuple[str, BasePolicy]:
    name, parameters = parse_policy(text)
    return name, make_policy(name, parameters)


def _require_folder(folder: Path) -> None:
    """Find out before minutes of simulation that nothing could be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror or error}.") from error


def _write(
    plan: Plan,
    cells: Sequence[Cell],
    policies: dict[str, BasePolicy],
    verdict: Verdict | None,
    folder: Path,
) -> None:
    """Write everything into a folder beside, then move it in: a failure leaves nothing half."""
    described = {
        name: {"version": policy.version, "parameters": policy.to_dict()}
        for name, policy in policies.items()
    }
    whole = matrix_json(plan, cells, described, verdict)
    texts = {
        "matrix.json": json.dumps(whole, indent=1, allow_nan=False) + "\n",
        "matrix.csv": matrix_csv(cells),
        "matrix.md": matrix_markdown(cells, verdict),
    }
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
            waiting = Path(name)
            for title, text in texts.items():
                (waiting / title).write_text(text, encoding="utf-8")
            draw_gains(cells, waiting / "matrix.png")
            for path in sorted(waiting.iterdir()):
                path.replace(folder / path.name)
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror or error}.") from error


def _report(cells: Sequence[Cell], verdict: Verdict | None, folder: Path) -> None:
    for cell in cells:
        gain = cell.figures["gain"]
        print(
            f"{cell.simulator:8} {cell.policy:20} gain {gain.value:+.3f} "
            f"({gain.low:+.3f} to {gain.high:+.3f})"
        )
    if verdict is not None:
        better = ", ".join(f"{name} {share:.0%}" for name, share in verdict.shares.items())
        print(f"{verdict.policy} gains more in so many simulators than: {better}.")
        if verdict.below_random:
            print(f"below random: {', '.join(verdict.below_random)}", file=sys.stderr)
    print(f"matrix.json, matrix.md, matrix.csv and matrix.png written to {folder}")

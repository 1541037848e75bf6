"""`python -m curriculum evaluate`: what a policy would have earned, from a decision log."""

import argparse
import json
from pathlib import Path

from curriculum.bandits import POLICIES
from curriculum.evaluation.decisions import read_decisions
from curriculum.evaluation.errors import CannotWrite
from curriculum.evaluation.evaluating import Evaluation, Limits, evaluate
from curriculum.evaluation.targets import LOGGED
from curriculum.policy_argument import parse_policy

NAMES = {"ips": "IPS", "snips": "SNIPS", "dr": "doubly robust"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    defaults = Limits()
    parser.add_argument("log", type=Path, help="decisions: .jsonl or .csv")
    parser.add_argument(
        "--policy",
        required=True,
        metavar="NAME[=FILE]",
        help=f"{LOGGED} (what was done) or one of {', '.join(POLICIES)}; with a JSON file of its "
        "parameters if not its defaults",
    )
    parser.add_argument("--reward-kind", help="which reward, if the log has several")
    parser.add_argument("--clip", type=float, default=defaults.clip, help="largest weight")
    parser.add_argument("--min-learners", type=int, default=defaults.min_learners)
    parser.add_argument("--resamples", type=int, default=defaults.resamples)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")


def run_command(options: argparse.Namespace) -> None:
    """Evaluate a policy and say what it is worth.

    Raises:
        SupportTooThin: the log says too little about it.
        CurriculumError: anything else that is anticipated, told in one message.
    """
    name, parameters = parse_policy(options.policy)
    limits = Limits(
        clip=options.clip,
        min_learners=options.min_learners,
        resamples=options.resamples,
        seed=options.seed,
    )
    found = evaluate(
        read_decisions(options.log),
        name,
        parameters=parameters,
        reward_kind=options.reward_kind,
        limits=limits,
    )
    if options.out:
        _write(found, options.out)
    _report(found)


def _write(found: Evaluation, path: Path) -> None:
    waiting = path.with_name(f".{path.name}.writing")
    try:
        waiting.write_text(json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8")
        waiting.replace(path)
    except OSError as error:
        raise CannotWrite(f"{path}: {error.strerror or error}.") from error


def _report(found: Evaluation) -> None:
    print(
        f"{found.decisions} decisions of {found.learners} learners; left out: "
        f"{found.without_reward} without a reward, {found.not_left_to_chance} not left to chance."
    )
    print(f"{found.reward_kind} per decision, with 95 % intervals by learner:")
    print(f"  {'as it was':14} {found.logged:+.5f}")
    for name, one in found.estimates.items():
        print(
            f"  {NAMES[name]:14} {one.value:+.5f} ({one.low:+.5f} to {one.high:+.5f})   "
            f"over that: {one.over_logged:+.5f} ({one.over_low:+.5f} to {one.over_high:+.5f})"
        )
    print(
        f"effective sample size {found.effective:.0f} ({found.effective / found.decisions:.0%}), "
        f"mean weight {found.mean_weight:.3f}, largest {found.largest_weight:.3g}, "
        f"{found.clipped} clipped at {found.clip:g}"
    )

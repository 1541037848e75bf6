"""How fast CAKT trains and streams, beside its bare convolutions and beside attention.

    .venv/bin/python -m tests.benchmarks.cakt_speed

Processor time of one thread, so that other work on the machine matters little; the least of some
rounds. Writes docs/benchmarks/cakt_speed.json and its section of docs/benchmarks.md.
"""

import dataclasses
import itertools
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from kt_models.models.cakt import CaktConfig, CaktNetwork, published_program
from kt_models.models.cakt_branches import CHANNELS, Conv3dBranch
from kt_models.training.sequences import Batch
from tests.benchmarks.cakt_speed_parts import CachedAttention, banded, in_layout
from tests.benchmarks.cakt_speed_report import section
from tests.benchmarks.product.circumstances import circumstances, write

VARIANTS = {"code": published_program(), "paper": CaktConfig()}
CONCEPTS = 110
LEARNERS, ANSWERS = 16, 64
HISTORIES = (10, 100, 1_000, 10_000)
# The slower forms are measured on this many positions: time per position does not depend on it.
FEW = 256
ROUNDS = 3


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    result = circumstances() | {"threads": 1, "positions": LEARNERS * ANSWERS, "variants": {}}
    for name, config in VARIANTS.items():
        result["variants"][name] = training(config)
        print(name, result["variants"][name], flush=True)
    result["streaming"] = streaming()
    print(result["streaming"])
    write("cakt_speed", result=result, section=section(result))


def training(config: CaktConfig) -> dict[str, object]:
    """Return positions per second of the convolutions in each form, and of the whole network."""
    peak = matmul_gflops()
    net = CaktNetwork(config, concepts=CONCEPTS).train()
    batch = answers(LEARNERS, ANSWERS)
    seen: list[torch.Tensor] = []
    hook = net.branch.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    with torch.no_grad():
        net(batch)
    hook.remove()
    embedded = seen[0].detach()
    work = 6.0 * macs_per_position(config)
    stack = {
        name: rated(form, embedded if name == "compiled" else embedded[:FEW], work, peak)
        for name, form in forms(net.branch).items()
    }
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        net.loss(batch).backward()
        optimizer.step()

    # In turn with the bare stack, so that both meet the same machine.
    whole, bare = [], []
    for _ in range(ROUNDS):
        whole.append(seconds(step, rounds=1))
        bare.append(seconds(lambda: through(net.branch, embedded), rounds=1))
    count = len(embedded)
    return {
        "matmul_gflops": round(peak, 1),
        "mflop_per_position": round(work / 1e6, 1),
        "stack": stack,
        "training_positions_per_second": round(count / min(whole)),
        "bare_stack_positions_per_second": round(count / min(bare)),
        "training_over_bare_stack": round(min(bare) / min(whole), 3),
        "training_share_of_matmul_peak": round(work * count / min(whole) / 1e9 / peak, 3),
    }


def forms(branch: Conv3dBranch) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Return the same convolutions in each form that was tried."""
    return {
        "compiled": branch,
        "conv3d": branch.plain,
        "conv3d, channels last": in_layout(branch),
        "conv3d, channels last, bfloat16": in_layout(branch, half=True),
        "2-D, depth in the channels": banded(branch),
        "2-D, depth in the channels, channels last, bfloat16": banded(branch, half=True),
    }


def rated(
    form: Callable[[torch.Tensor], torch.Tensor], embedded: torch.Tensor, work: float, peak: float
) -> dict[str, float]:
    """Return positions per second, GFLOP/s of the convolutions' own work and share of the peak."""
    rate = len(embedded) / seconds(lambda: through(form, embedded), rounds=ROUNDS)
    gflops = rate * work / 1e9
    return {
        "positions_per_second": round(rate),
        "gflops": round(gflops, 1),
        "share_of_matmul_peak": round(gflops / peak, 3),
    }


def through(form: Callable[[torch.Tensor], torch.Tensor], embedded: torch.Tensor) -> None:
    """Go forward and back."""
    form(embedded.clone().requires_grad_()).float().sum().backward()


def macs_per_position(config: CaktConfig) -> int:
    """Return multiplications of the convolutions' weights forward, borders of zeros included."""
    pairs = list(itertools.pairwise(CHANNELS))
    taps = sum(27 * (i * o + o * o) + i * o for i, o in pairs)
    return taps * config.k * config.side**2


def matmul_gflops() -> float:
    a = torch.randn(1024, 1024)
    return 2.0 * 1024**3 / seconds(lambda: a @ a, rounds=20) / 1e9


def seconds(work: Callable[[], object], *, rounds: int) -> float:
    """Return the least processor time of a call, the first one not counted."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def answers(learners: int, count: int, *, seed: int = 0) -> Batch:
    """Return learners who answered `count` questions each, all of them real positions."""
    rng = np.random.default_rng(seed)
    shape = (learners, count)
    zero, none = torch.zeros(shape), torch.zeros(shape, dtype=torch.int64)
    return Batch(
        item=none,
        concepts=none[..., None],
        concept_set=torch.from_numpy(rng.integers(1, 20, shape)),
        difficulty=zero,
        correct=torch.from_numpy(rng.integers(0, 2, shape)).float(),
        gap=zero,
        elapsed=zero,
        assisted=zero,
        step=torch.arange(count).expand(shape),
        mask=torch.ones(shape, dtype=torch.bool),
        scored=torch.ones(shape, dtype=torch.bool),
        row=none,
    )


def streaming() -> dict[str, object]:
    """Return milliseconds of one answer and one question after histories of growing length."""
    nets = {
        name: CaktNetwork(config, concepts=CONCEPTS).eval() for name, config in VARIANTS.items()
    }
    attention = CachedAttention(concepts=CONCEPTS).eval()
    found: dict[str, dict[str, float]] = {}
    with torch.inference_mode():
        for history in HISTORIES:
            past, one = answers(1, history), answers(1, 1, seed=1)
            steps: dict[str, Callable[[], object]] = {}
            for name, net in nets.items():
                state = net.absorb(net.start(1), past)
                steps[f"cakt ({name})"] = _bound(_cakt_step, net, state, one)
            cache = attention.absorb(attention.start(), past)
            steps["attention, cached keys"] = _bound(_attention_step, attention, cache, one)
            steps["attention, replaying"] = _bound(_replay_step, attention, past, one)
            for name, step in steps.items():
                found.setdefault(name, {})[str(history)] = round(1e3 * _median(step), 3)
    size = sum(value.nbytes for value in nets["paper"].start(1).values())
    grown = {name: round(row["10000"] / row["10"], 2) for name, row in found.items()}
    return {
        "milliseconds": found,
        "after_10000_over_after_10": grown,
        "cakt_state_bytes": size,
        "attention_state_bytes_after_10000": sum(v.nbytes for v in cache),
    }


def _bound(step: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: step(*given)


def _cakt_step(net: CaktNetwork, state: dict[str, torch.Tensor], one: Batch) -> object:
    return net.ask(net.absorb(state, one), one)


def _attention_step(net: CachedAttention, cache: list[torch.Tensor], one: Batch) -> object:
    return net.ask(net.absorb(cache, one), one)


def _replay_step(net: CachedAttention, past: Batch, one: Batch) -> object:
    fields = (f.name for f in dataclasses.fields(Batch))
    whole = Batch(**{f: torch.cat([getattr(past, f), getattr(one, f)], dim=1) for f in fields})
    return net.ask(net.absorb(net.start(), whole), one)


def _median(step: Callable[[], object], *, most: float = 2.0) -> float:
    """Return the median processor time of a call, over at most about `most` seconds."""
    step()
    times: list[float] = []
    while len(times) < 5 or (sum(times) < most and len(times) < 200):
        began = time.process_time()
        step()
        times.append(time.process_time() - began)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())

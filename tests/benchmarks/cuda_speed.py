"""How fast the networks train and stream on a CUDA device, beside what the device can do.

    python -m tests.benchmarks.cuda_speed

CAKT's convolutions in each form, the whole network beside them on the same tensors, the other
networks' training, and the batched streaming step of a worker. By the clock, the device having
finished; the least of some rounds. Writes docs/benchmarks/cuda_speed.json and its section of
docs/benchmarks.md.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from kt_models.data.vocabulary import Vocabulary
from kt_models.models import MODELS
from kt_models.models.cakt import CaktConfig, CaktNetwork, published_program
from kt_models.models.network import NetworkModel
from kt_models.training.sequences import encode
from tests.benchmarks.cakt_speed import CONCEPTS, answers, macs_per_position, through
from tests.benchmarks.cakt_speed_parts import banded, in_layout
from tests.benchmarks.cuda_speed_report import section
from tests.benchmarks.product.circumstances import circumstances, write
from tests.kt_models.factories import random_log

VARIANTS = {"code": published_program(), "paper": CaktConfig()}
# As the published program trains, and as many as fill the device.
BATCHES = ((16, 64), (128, 64))
NETWORKS = ("dkt", "akt", "simplekt", "cakt-item", "cakt")
LEARNERS, ANSWERS, ASKED = 256, 200, 30
ROUNDS = 3


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("There is no CUDA device here.")
    torch.manual_seed(0)
    result = circumstances() | {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    result["matmul_tflops"] = {
        "float32": round(matmul_tflops(torch.float32), 1),
        "bfloat16": round(matmul_tflops(torch.bfloat16), 1),
    }
    peak = result["matmul_tflops"]["float32"]
    result["cakt"] = {
        f"{name}, {learners * count} positions": cakt(config, learners, count, peak)
        for name, config in VARIANTS.items()
        for learners, count in BATCHES
    }
    result["networks"] = {name: network(name) for name in NETWORKS}
    print(result, flush=True)
    write("cuda_speed", result=result, section=section(result))


def cakt(config: CaktConfig, learners: int, count: int, peak: float) -> dict[str, object]:
    """Return positions per second of the convolutions in each form, and of the whole network."""
    net = CaktNetwork(config, concepts=CONCEPTS).cuda().train()
    batch = answers(learners, count).to(torch.device("cuda"))
    seen: list[torch.Tensor] = []
    hook = net.branch.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    with torch.no_grad():
        net(batch)
    hook.remove()
    embedded = seen[0].detach()
    work = 6.0 * macs_per_position(config) * len(embedded)
    forms = {
        "conv3d": net.branch.plain,
        "conv3d, channels last": in_layout(net.branch),
        "conv3d, channels last, bfloat16": in_layout(net.branch, half=True),
        "2-D, depth in the channels": banded(net.branch),
        "2-D, depth in the channels, channels last, bfloat16": banded(net.branch, half=True),
    }
    stack = {}
    for name, form in forms.items():
        took = seconds(lambda form=form: through(form, embedded))
        stack[name] = {
            "positions_per_second": round(len(embedded) / took),
            "tflops": round(work / took / 1e12, 2),
            "share_of_matmul_peak": round(work / took / 1e12 / peak, 4),
        }
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        net.loss(batch).backward()
        optimizer.step()

    whole, bare = seconds(step), seconds(lambda: through(net.branch, embedded))
    return {
        "stack": stack,
        "training_positions_per_second": round(len(embedded) / whole),
        "training_over_bare_stack": round(bare / whole, 3),
        "training_share_of_matmul_peak": round(work / whole / 1e12 / peak, 4),
    }


def network(name: str) -> dict[str, float]:
    """Return answers a second in training, and of a worker's step at many learners and at one."""
    log = random_log(np.random.default_rng(0), learners=LEARNERS, answers=ANSWERS, items=3000)
    model = MODELS[name]()
    assert isinstance(model, NetworkModel)
    model.vocabulary = vocabulary = Vocabulary.of(log)
    net = model._net().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    encoded = encode(log, vocabulary)
    few = np.stack([encoded.starts[:20], encoded.starts[1:21]], axis=1)
    found = {}
    for label, batch in (("4,000", encoded.batch(few)), ("51,200", encoded.whole())):
        here = batch.to(torch.device("cuda"))
        found[f"training_answers_per_second_at_{label}"] = round(
            int(here.mask.sum()) / seconds(lambda here=here: learn(net, optimizer, here))
        )
    net.eval()
    states = model.advance(model.init(LEARNERS), log)
    items, one = np.arange(ASKED), log.only_answers(log.position == 0)
    now = np.full(LEARNERS, log.answered_at.max())
    first = {key: value[:1] for key, value in states.items()}
    alone = one.only_learners(np.arange(1))

    def many() -> None:
        model.predict_all(model.advance(states, one), items=items, shown_at=now)

    def single() -> None:
        model.predict_all(model.advance(first, alone), items=items, shown_at=now[:1])

    batched, by_one = seconds(many), seconds(single)
    found["step_of_256_ms"] = round(1e3 * batched, 2)
    found["step_of_one_ms"] = round(1e3 * by_one, 2)
    found["learners_per_second_batched"] = round(LEARNERS / batched)
    found["batched_over_one_at_a_time"] = round(LEARNERS * by_one / batched, 1)
    return found


def learn(net: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: object) -> None:
    optimizer.zero_grad(set_to_none=True)
    net.loss(batch).backward()
    optimizer.step()


def matmul_tflops(kind: torch.dtype, *, size: int = 8192) -> float:
    a = torch.randn(size, size, device="cuda", dtype=kind)
    return 2.0 * size**3 / seconds(lambda: a @ a) / 1e12


def seconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Return the least time of a call by the clock, the first one not counted."""
    work()
    times = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()

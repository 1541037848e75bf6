"""What a network must do to be trained here and to go on answer by answer."""

from torch import Tensor, nn

from kt_models.training.sequences import Batch


class Network(nn.Module):
    """A network that predicts each answer of a batch and that can also go on answer by answer."""

    def forward(self, batch: Batch) -> Tensor:
        """Return [B, T] logits of `batch.correct`, each from earlier answers and its question."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss over the answers of a batch, in nats."""
        return answer_loss(self(batch), batch)

    def start(self, count: int) -> dict[str, Tensor]:
        """Return what is remembered of `count` learners before their first answer, [count, ...]."""
        raise NotImplementedError

    def absorb(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the states after the answers of a batch, [B, T] of them at most."""
        raise NotImplementedError

    def ask(self, state: dict[str, Tensor], questions: Batch) -> Tensor:
        """Return [B, N] logits of N questions, each as if it were the next."""
        raise NotImplementedError


def answer_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Return the mean log loss of [B, T] logits over the answers that are scored, in nats."""
    losses = nn.functional.binary_cross_entropy_with_logits(logits, batch.correct, reduction="none")
    return (losses * batch.scored).sum() / batch.scored.sum()

"""Progress on a terminal: one bar for the stage that an import is at."""

from typing import Any

from tqdm import tqdm

from tutor.intake.usecases import Stage

_UNITS = {
    Stage.READING: "B",
    Stage.PLANNING: " answers",
    Stage.LOADING: " questions",
    Stage.WRITING: " answers",
    Stage.FITTING: " %",
    Stage.FOLDING: " learners",
}


class StageBars:
    """Draws a bar for each stage in turn; nothing where the output is no terminal."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "StageBars":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, stage: Stage, done: int, total: int) -> None:
        """Show that so much of the stage is done, of so much (0: nobody knows)."""
        if stage is not self._stage or self._bar is None:
            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=stage.value.capitalize(),
                total=total or None,
                unit=_UNITS[stage],
                unit_scale=stage is Stage.READING,
                disable=None,
            )
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the bar that is drawn, so that something else can be written."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

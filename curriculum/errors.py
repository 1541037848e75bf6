"""The base of every failure that this package anticipates."""


class CurriculumError(Exception):
    """An anticipated failure; `message` is for people, `facts` for programs."""

    def __init__(self, message: str, **facts: object) -> None:
        """Keep the sentence and what it was made from."""
        super().__init__(message)
        self.message = message
        self.facts = facts

"""Take apart the JSON that a client sends as an answer; it may be any JSON at all."""

from collections.abc import Mapping

from django.utils.translation import gettext

from tutor.content.grading.errors import UnreadableAnswer

MAX_ANSWER_LENGTH = 200


def given_text(answer: object) -> str:
    """Return the text of `{"text": ...}`, without outer spaces.

    Raises:
        UnreadableAnswer: it is absent, empty, or longer than `MAX_ANSWER_LENGTH`.
    """
    text = _field(answer, "text")
    if not isinstance(text, str):
        raise UnreadableAnswer(gettext("Send the answer as text."))
    text = text.strip()
    if not text:
        raise UnreadableAnswer(gettext("The answer is empty. Write your answer first."))
    if len(text) > MAX_ANSWER_LENGTH:
        raise UnreadableAnswer(
            gettext("The answer is longer than %(max_answer_length)s characters.")
            % {"max_answer_length": MAX_ANSWER_LENGTH}
        )
    return text


def given_choice(answer: object) -> str:
    """Return the id of `{"choice": id}`."""
    choice = _field(answer, "choice")
    if not isinstance(choice, str):
        raise UnreadableAnswer(gettext("Choose one of the options."))
    return choice


def given_choices(answer: object) -> frozenset[str]:
    """Return the ids of `{"choices": [ids]}`; none chosen is an answer too."""
    choices = _field(answer, "choices")
    if not isinstance(choices, (list, tuple)) or not all(isinstance(c, str) for c in choices):
        raise UnreadableAnswer(gettext("Send the chosen options as a list of ids."))
    return frozenset(choices)


def given_mark(answer: object) -> bool:
    """Return the learner's own mark, `{"right": true}` or false."""
    mark = _field(answer, "right")
    if not isinstance(mark, bool):
        raise UnreadableAnswer(gettext("Say whether you had it right or not."))
    return mark


def _field(answer: object, name: str) -> object:
    if not isinstance(answer, Mapping) or name not in answer:
        raise UnreadableAnswer(
            gettext("The answer to this item needs the field “%(name)s”.") % {"name": name}
        )
    return answer[name]

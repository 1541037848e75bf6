"""What goes over the wire, as serializers: the OpenAPI document is made from them."""

import functools
from typing import Any

from rest_framework import serializers

ANSWER_HELP = (
    "One of {`text`: …} for number, expression and text items, {`choice`: id} for single choice, "
    "{`choices`: [ids]} for multiple choice, {`right`: true or false} for items that the learner "
    "marks."
)


class Shape(serializers.Serializer[Any]):
    """A serializer of which one instance serves all requests.

    A new one copies all of its fields, and theirs, before it does anything.
    """

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """Return what was sent, checked.

        Raises:
            ValidationError: it does not have this shape; names the fields.
        """
        try:
            found: dict[str, Any] = _one(cls).run_validation(data)
        except serializers.ValidationError:
            # Rarely, and the framework words it from an instance of its own.
            payload = cls(data=data)
            payload.is_valid(raise_exception=True)
            return dict(payload.validated_data)
        return found

    @classmethod
    def write(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return a document as it is sent."""
        written: dict[str, Any] = _one(cls).to_representation(document)
        return written


@functools.cache
def _one(shape: type[Shape]) -> Shape:
    return shape()


class AnswerInput(Shape):
    """An answer; give the one field that fits the item's kind."""

    text = serializers.CharField(max_length=2000, required=False, trim_whitespace=False)
    choice = serializers.CharField(max_length=20, required=False)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=20), required=False, max_length=50
    )
    right = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that exactly one form of answer is given."""
        if len(attrs) != 1:
            message = "Give exactly one of text, choice, choices, right."
            raise serializers.ValidationError(message)
        return attrs


class SessionInput(Shape):
    """What to practise: an assignment of the learner, or a course of one of their classes."""

    assignment = serializers.UUIDField(required=False)
    course = serializers.SlugField(required=False, max_length=100)
    minutes = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=240,
        help_text="Plan the session in minutes; without, in items. Counts where one is opened.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that exactly one of the two is given."""
        if len(attrs.keys() & {"assignment", "course"}) != 1:
            message = "Give either assignment or course."
            raise serializers.ValidationError(message)
        return attrs


class SubmissionInput(Shape):
    """An answer to an item that was shown."""

    presentation = serializers.UUIDField()
    client_key = serializers.UUIDField(
        help_text="Made by the client for this answer; sending it again stores nothing new."
    )
    answer = AnswerInput(help_text=ANSWER_HELP)
    answered_at = serializers.DateTimeField(
        required=False, help_text="When it was given, if it is sent later. At most 30 days ago."
    )
    elapsed_ms = serializers.IntegerField(required=False, min_value=0, max_value=2**53)


class HintInput(Shape):
    """The item to open the next hint of."""

    presentation = serializers.UUIDField()
    level = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=100,
        help_text="The rung asked for, 1 the first. With it a repeated request opens nothing new.",
    )


class CourseQuery(Shape):
    """Which course is meant."""

    course = serializers.CharField(required=False, max_length=100)


class LearnerQuery(Shape):
    """Which learners are meant."""

    username = serializers.CharField(required=False, max_length=150)


class ClassOutput(Shape):
    """A class that a learner is in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    course = serializers.CharField()


class LearnerOutput(Shape):
    """A learner. Those of imported logs have no user name."""

    pseudonym = serializers.UUIDField()
    username = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    classes = ClassOutput(many=True)


class DecisionOutput(Shape):
    """The choice of one item, or a finish, with its receipt."""

    decision = serializers.UUIDField(help_text="Also the presentation of the item that was shown.")
    at = serializers.DateTimeField()
    course = serializers.CharField()
    assignment = serializers.UUIDField(allow_null=True)
    item = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    item_seed = serializers.IntegerField(allow_null=True)
    policy = serializers.CharField()
    tracer = serializers.CharField()
    propensity = serializers.FloatField(allow_null=True)
    reason = serializers.CharField()
    reason_text = serializers.CharField()
    follows = serializers.UUIDField(allow_null=True)
    receipt = serializers.DictField(help_text="Everything that was weighed.")


class DeepWorkOutput(Shape):
    """The work list of the deep estimates, of all courses together."""

    learners_waiting = serializers.IntegerField(help_text="Learners whose answers wait for it.")
    oldest_s = serializers.FloatField(
        allow_null=True, help_text="Seconds that the first of them has waited; null if nobody."
    )
    left_aside = serializers.IntegerField(
        help_text="Learners whose data broke the pass; the admin says why, and releases them."
    )


class HealthOutput(Shape):
    """The state of the parts."""

    status = serializers.ChoiceField(choices=["ok", "degraded", "down"])
    version = serializers.CharField()
    database = serializers.ChoiceField(choices=["ok", "down"])
    broker = serializers.ChoiceField(choices=["ok", "down"])
    tasks_waiting = serializers.IntegerField(
        allow_null=True, help_text="Messages in all queues; null while the broker is down."
    )
    queues = serializers.DictField(
        child=serializers.IntegerField(), allow_null=True, help_text="The same by queue."
    )
    deep_work = DeepWorkOutput(allow_null=True, help_text="Null while the database is down.")
    rungs_last_hour = serializers.DictField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text="Items chosen in the last hour, of the newest 5000, by what their estimates "
        "stood on: deep, stale, live, difficulty or order. Null while the database is down.",
    )


class ChoiceOutput(Shape):
    """One option."""

    id = serializers.CharField(help_text="Opaque; the same each time the item is shown.")
    text = serializers.CharField()
    html = serializers.CharField()


class ItemOutput(Shape):
    """An item as it is shown; text with $LaTeX$, and the same as HTML with MathML."""

    presentation = serializers.UUIDField()
    item = serializers.CharField()
    version = serializers.IntegerField()
    kind = serializers.CharField()
    concepts = serializers.ListField(child=serializers.CharField())
    stem = serializers.CharField()
    stem_html = serializers.CharField()
    choices = ChoiceOutput(many=True)
    hints_seen = serializers.ListField(child=serializers.CharField())
    hints_left = serializers.IntegerField()
    reason = serializers.CharField(help_text="Stable code, for example review-due.")
    reason_text = serializers.CharField(help_text="The same in one sentence for the learner.")
    propensity = serializers.FloatField(
        help_text="Probability with which this item was drawn for this concept, 0..1; an item of "
        "several concepts may also have been drawn for another of them (see docs/scheduler.md)."
    )


class SessionOutput(Shape):
    """A session with the item that waits, or the reason why it is over."""

    session = serializers.UUIDField()
    course = serializers.CharField()
    assignment = serializers.UUIDField(allow_null=True)
    planned_items = serializers.IntegerField(
        help_text="Of a session planned in minutes: how many are expected to fit."
    )
    planned_minutes = serializers.IntegerField(allow_null=True)
    answered = serializers.IntegerField()
    correct = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    finish_reason = serializers.CharField(allow_blank=True)
    finish_text = serializers.CharField(allow_blank=True)
    next = ItemOutput(allow_null=True)


class ShiftOutput(Shape):
    """What an answer changed in the mastery of one concept."""

    concept = serializers.CharField()
    name = serializers.CharField()
    before_prob = serializers.FloatField()
    before_band = serializers.CharField()
    after_prob = serializers.FloatField()
    after_band = serializers.CharField()


class OutcomeOutput(Shape):
    """What came of an answer, and the session as it goes on."""

    response = serializers.IntegerField()
    is_repeat = serializers.BooleanField(help_text="The answer had been stored before.")
    is_correct = serializers.BooleanField()
    credit = serializers.FloatField()
    misconception = serializers.CharField(allow_blank=True)
    feedback = serializers.CharField(allow_blank=True)
    right_answer = serializers.CharField(
        help_text="In the item's markup, decimals with a point, the same in every language."
    )
    solution_html = serializers.CharField()
    shifts = ShiftOutput(many=True)
    session = SessionOutput(allow_null=True)


class HintOutput(Shape):
    """A rung of the hint ladder."""

    level = serializers.IntegerField()
    text = serializers.CharField()
    html = serializers.CharField()
    hints_left = serializers.IntegerField()


class MasteryOutput(Shape):
    """What is known of a learner and one concept."""

    concept = serializers.CharField()
    name = serializers.CharField()
    band = serializers.CharField(help_text="As it is shown: a teacher's word, or the estimate's.")
    set_by_teacher = serializers.BooleanField(help_text="Whether it is a teacher's word.")
    estimated_band = serializers.CharField(help_text="What the estimate alone would show.")
    prob = serializers.FloatField(
        help_text="Probability of an unassisted correct answer on the concept's reference item."
    )
    lower_prob = serializers.FloatField(help_text="Its 5 % quantile.")
    evidence_n = serializers.IntegerField()


class MasteriesOutput(Shape):
    """A learner's mastery of a course."""

    learner = serializers.UUIDField()
    course = serializers.CharField()
    tracer = serializers.CharField()
    at = serializers.DateTimeField()
    concepts = MasteryOutput(many=True)


class AssignmentOutput(Shape):
    """An assignment as it is for one learner."""

    assignment = serializers.UUIDField()
    title = serializers.CharField()
    opens_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="Of this learner; null: without end."
    )
    is_excused = serializers.BooleanField(help_text="Nothing of it is asked of the learner.")
    grade = serializers.IntegerField(
        allow_null=True,
        help_text="Whole percent, halves upwards; null for who is excused, or without a rule.",
    )
    grade_rule = serializers.CharField(
        allow_blank=True, help_text="How grades are made, in a sentence; empty for no grades."
    )


class AssignmentsOutput(Shape):
    """A learner's assignments in a course."""

    learner = serializers.UUIDField()
    course = serializers.CharField()
    assignments = AssignmentOutput(many=True)


class ProblemOutput(Shape):
    """A failure, RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    facts = serializers.DictField(required=False)
    errors = serializers.JSONField(required=False)

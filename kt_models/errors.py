"""The error base of kt_models; subclasses live beside the code that raises them or here."""


class KTModelError(Exception):
    """An anticipated failure that tells its reader what to change."""


class UnreadableState(KTModelError):
    """The bytes are not a state of this filter, or of a version this code cannot read."""


class UnreadableModel(KTModelError):
    """A saved model is damaged, or of a kind or version this code cannot read."""


class ImpossibleParameter(KTModelError):
    """A parameter lies outside its range."""


class ShapeMismatch(KTModelError):
    """Arrays that belong together differ in length or number of axes."""


class ImpossibleAnswer(KTModelError):
    """An answer has a value that no answer can have."""


class UnknownName(KTModelError):
    """An item, a concept, a model or a setting that is not known here."""


class NotFitted(KTModelError):
    """A model was asked before it was fitted or loaded."""


class ImpossibleSetting(KTModelError):
    """A setting of a model that does not exist, or a value that it cannot have."""

"""What fields and stages are called on the pages."""

# Of `mapping.FIELDS`: what it is called, and what stands in such a column.
FIELDS = {
    "learner": ("Learner", "who answered: a name or a number"),
    "item": ("Item", "which question was answered"),
    "correct": ("Correct", "right or wrong, or points"),
    "concepts": ("Concepts", "what the question exercises: a topic or a skill"),
    "answered_at": ("Answered at", "when the answer was given"),
    "order": ("Order", "a number that orders a learner's answers where there is no time"),
    "elapsed_ms": ("Time taken", "from showing to answer"),
    "hints": ("Hints", "how many were seen before the answer"),
    "attempt": ("Attempt", "1 for the first answer to a question, 2 for the second"),
    "is_pilot": ("On trial", "1 where the question was only tried out"),
}

# Of `usecases.Stage`.
STAGES = {
    "reading": "Reading the file",
    "planning": "Comparing it with what is there",
    "loading": "Writing questions and learners",
    "writing": "Writing the answers",
    "fitting": "Fitting the tracer",
    "folding": "Estimating every learner",
}
# What is counted in a stage.
UNITS = {"reading": "bytes", "writing": "answers", "fitting": "%", "folding": "learners"}

# How a text may be written: what the form sends, and what it is called.
DELIMITERS = (
    ("", "Find out"),
    (",", "Commas"),
    (";", "Semicolons"),
    ("tab", "Tabs"),
    ("|", "Upright bars"),
)
ENCODINGS = (
    ("utf-8", "UTF-8"),
    ("cp1252", "Western European (Windows-1252)"),
    ("iso8859-15", "Western European (Latin-9)"),
    ("utf-16", "UTF-16"),
    ("cp1250", "Central European (Windows-1250)"),
    ("cp1251", "Cyrillic (Windows-1251)"),
    ("gb18030", "Chinese (GB 18030)"),
    ("shift_jis", "Japanese (Shift JIS)"),
)

"""Write the compiled catalogue of every language beside its text: scripts/compile_messages.py.

The compiled ones are kept in the repository: a server and an image need no gettext for them, and
a test holds each against its text. Fetching new texts into the catalogues is Django's own command:
`manage.py makemessages --all --no-wrap --no-location --ignore .venv --ignore tests --ignore var`.
"""

import sys
from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "tutor" / "config" / "locale"


def main() -> int:
    """Compile all of them; say what is not translated yet."""
    missing = 0
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        catalogue = polib.pofile(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        left = [*catalogue.untranslated_entries(), *catalogue.fuzzy_entries()]
        missing += len(left)
        print(f"{path.parent.parent.name}: {len(catalogue)} texts, {len(left)} to translate")
        for entry in left:
            print(f"  {entry.msgid}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

"""The demo's accounts. Passwords come from this installation's secret key: none is in the code."""

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

STUDENT, NEWCOMER, TEACHER, ADMINISTRATOR = "student", "newcomer", "teacher", "admin"

# Invented names for a class of 30; the student account is the first.
NAMES = (
    "Ada Okafor", "Ben Lindqvist", "Carla Mendes", "Dario Rossi", "Elif Demir", "Finn Walsh",
    "Grace Adeyemi", "Hugo Laurent", "Ines Petrova", "Jonas Weber", "Keiko Tanaka", "Liam Novak",
    "Maya Sharma", "Noah Fischer", "Olga Kovacs", "Pablo Reyes", "Quinn Harper", "Rosa Jensen",
    "Samir Haddad", "Tara Nguyen", "Umar Farouk", "Vera Sokolova", "Will Carter", "Xenia Popescu",
    "Yara Cohen", "Zeno Marin", "Aisha Bello", "Bruno Costa", "Chloe Martin", "Dmitri Orlov",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account of the demo."""

    username: str
    what: str


SIGN_INS = (
    SignIn(STUDENT, "a student in the middle of the course"),
    SignIn(NEWCOMER, "a student who has not begun"),
    SignIn(TEACHER, "the teacher of the class"),
    SignIn(ADMINISTRATOR, "an administrator of the school"),
)
CAN_SIGN_IN = frozenset(sign_in.username for sign_in in SIGN_INS)


def password(username: str) -> str:
    """Return the account's password, the same as long as the secret key is."""
    key = settings.SECRET_KEY.encode()
    return "demo-" + hmac.new(key, username.encode(), hashlib.sha256).hexdigest()[:8]


def describe() -> str:
    """Return the sign-ins as lines for the terminal."""
    width = max(len(sign_in.username) for sign_in in SIGN_INS)
    return "\n".join(
        f"  {sign_in.username:<{width}}  {password(sign_in.username)}   {sign_in.what}"
        for sign_in in SIGN_INS
    )

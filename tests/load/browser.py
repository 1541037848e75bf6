"""A browser as far as forms, cookies and redirects go: hundreds of them fit into one process."""

import html
import http.client
import re
import urllib.parse
from dataclasses import dataclass

FORM = re.compile(r'<form[^>]*\baction="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
INPUT = re.compile(r"<input\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
REDIRECTS = {301, 302, 303}


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, its hidden fields, the values of its boxes to tick."""

    action: str
    hidden: dict[str, str]
    choices: tuple[str, ...]


class Browser:
    """A connection that stays open, cookies, the page it is on.

    Plain http.client, because the clients share the cores with the server that is measured.
    """

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        self.cookies: dict[str, str] = {}
        self.page = self.at = ""
        self.raw = b""

    def ask(self, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        """Send one request and read its answer into `raw`."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        self.raw = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str) -> int:
        """Open a page, following redirects; return the last status."""
        self.connection.close()  # the server lets go of idle ones
        answer = self.ask("GET", path)
        while answer.status in REDIRECTS:
            path = answer.headers["Location"]
            answer = self.ask("GET", path)
        self.page, self.at = self.raw.decode(), path
        return answer.status

    def post(self, path: str, **fields: str) -> int:
        """Send a form with the page's token, following the redirect; return the last status."""
        self.connection.close()
        answer = self.ask("POST", path, self.body(fields))
        self.page, self.at = self.raw.decode(), path
        if answer.status in REDIRECTS:
            return self.get(answer.headers["Location"])
        return answer.status

    def body(self, fields: dict[str, str]) -> str:
        """Return the body of a form with the page's token."""
        token = {"csrfmiddlewaretoken": self.field("csrfmiddlewaretoken")}
        return urllib.parse.urlencode(token | fields, doseq=True)

    def field(self, name: str) -> str:
        """Return the value of the first field of that name, empty where there is none."""
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.page)
        return found[1] if found else ""

    def forms(self, ending: str) -> list[Form]:
        """Return the page's forms whose address ends so."""
        return [
            _form(action, inside)
            for action, inside in FORM.findall(self.page)
            if action.endswith(ending)
        ]

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the page for it.

        Raises:
            AssertionError: the name or the password is not accepted.
        """
        self.get("/sign-in/")
        self.post("/sign-in/", username=username, password=password, next="")
        assert self.at != "/sign-in/", f"{username} cannot sign in"


def _form(action: str, inside: str) -> Form:
    fields = [dict(ATTRIBUTE.findall(one)) for one in INPUT.findall(inside)]
    hidden = {
        field["name"]: html.unescape(field.get("value", ""))
        for field in fields
        if field.get("type") == "hidden"
    }
    choices = tuple(
        field["value"] for field in fields if field.get("type") in {"radio", "checkbox"}
    )
    return Form(action, hidden, choices)

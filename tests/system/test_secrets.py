"""All that lets somebody in, used on the whole stack, whose logs tell all they can: none of it is left anywhere."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from devstack import credentials
from tests.fixtures.processes import eventually
from tests.fixtures.stack import Stack

CANARY = "c4n4ry" + "Zq9" * 10
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
FRESH = re.compile(r'<pre id="fresh"[^>]*>([^<]+)</pre>')
VIEWER = {"query": "{ viewer { id } }"}
CREATE = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { number } userErrors { message } } }"
CODE = f"password = '{CANARY}-param'\nraise ValueError(password[:6])"
PASSWORDS = {"first": f"{CANARY}-first", "wrong": f"{CANARY}-wrong", "vera's": f"{CANARY}-vera"}
CLOSED = {"secrets.json", ".erlang.cookie"}  # made to hold them, for nobody else to read


class Web:
    """What is asked of it. `seen`: all that it has answered, but for the pages that show a secret once."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.seen: list[str] = []

    def open(self, request: urllib.request.Request, opener: urllib.request.OpenerDirector | None = None) -> str:
        try:
            with (opener or urllib.request.build_opener()).open(request, timeout=30) as answer:
                text = str(answer.read().decode())
        except urllib.error.HTTPError as error:
            text = str(error.read().decode())
        except OSError:
            return ""  # it is just starting
        if not FRESH.search(text):
            self.seen.append(CSRF.sub("", text))
        return text

    def ask(self, token: str, query: str, path: str = "/graphql/", **variables: object) -> str:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.open(urllib.request.Request(f"{self.stack.url}{path}", body, headers))

    def write(self, text: str) -> None:
        """Bytes that are no request."""
        with socket.create_connection(("127.0.0.1", self.stack.port), timeout=30) as wire:
            wire.sendall(text.encode())
            self.seen.append(wire.makefile("rb").read().decode())
        assert "<title>Not understood" in self.seen[-1]


class Person:
    """A browser."""

    def __init__(self, web: Web) -> None:
        self._web, self._cookies = web, CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self._cookies}

    def get(self, path: str, data: bytes | None = None) -> str:
        address = f"{self._web.stack.url}{path}"
        return self._web.open(urllib.request.Request(address, data, {"Referer": address}), self._opener)

    def send(self, path: str, page: str = "", /, **fields: str) -> str:
        """`page`: the one whose form it is, when that has another address."""
        found = CSRF.search(self.get(page or path))
        assert found
        return self.get(path, urllib.parse.urlencode({"csrfmiddlewaretoken": found[1], **fields}).encode())

    def made(self, path: str, page: str = "", /, **fields: str) -> str:
        """The secret that is shown once; of a link its last part."""
        found = FRESH.search(self.send(path, page, **fields))
        assert found
        return found[1].rstrip("/").rpartition("/")[2]


def test_what_lets_somebody_in_is_left_in_no_log_no_page_and_no_command_line(stack: Stack) -> None:
    web = Web(stack)
    lets_in = {**_people(web), **_programs(stack)}
    _mistakes(web, lets_in)
    commands = stack.leftovers()
    assert len(commands) > 10
    assert all(len(secret) > 15 for secret in lets_in.values())
    assert [name for name, secret in lets_in.items() if any(secret in command for command in commands)] == []
    assert [name for name, secret in lets_in.items() if any(secret in text for text in web.seen)] == []
    assert _left(stack, lets_in) == set()


def _people(web: Web) -> dict[str, str]:
    """Links, passwords, an invitation, tokens, a shared task: each is made and used."""
    admin, vera, stranger = Person(web), Person(web), Person(web)
    link = web.stack.manage("link").rpartition("/")[2]
    for person in (admin, stranger):  # the second time in vain
        person.get(f"/start/{link}")
    first = PASSWORDS["first"]
    admin.send("/account/password/", "/account/", new_password1=first, new_password2=first)
    for password in (PASSWORDS["wrong"], first):
        stranger.send("/login/", username="admin", password=password)
    assert "admin" in stranger.get("/account/")

    invitation = admin.made("/people/", username="vera", role="Member")
    for _ in range(2):
        vera.get(f"/join/{invitation}")
    vera.send(f"/join/{invitation}", new_password1=PASSWORDS["vera's"], new_password2=PASSWORDS["vera's"])
    assert "vera" in vera.get("/account/")

    token = admin.made("/account/tokens/", "/account/", name="n", scopes="tasks:write", days="7")
    answer = web.ask(token, CREATE, i={"name": "n", "kind": "code.python", "code": CODE})
    number = json.loads(answer)["data"]["createTask"]["task"]["number"]
    eventually(lambda: "FAILED" in web.ask(token, f"{{ task(number: {number}) {{ status }} }}"), 60)
    share = admin.made(f"/tasks/{number}/shares/", days="1")
    assert "ValueError" in stranger.get(f"/shared/{share}/")
    assert "share.make" in admin.get("/audit/")
    cookies = {f"{name} of admin": text for name, text in admin.cookies.items()}
    return {**PASSWORDS, **cookies, "link": link, "invitation": invitation, "token": token, "share": share}


def _programs(stack: Stack) -> dict[str, str]:
    """The secrets of the processes, and what takes their place; each process has ended once."""
    before = credentials.read(stack.var)
    token = stack.manage("token", "create", "--user", "admin", "--scope", "tasks:write")
    stack.manage("rotate", "--hours", "1")
    for role in ("worker", "sink", "web"):
        stack.kill(role)
    now = credentials.read(stack.var)
    secrets = {f"login of {role}": password for role, password in before["broker"]["logins"].items()}
    for name in ("sink_token", "worker_token"):
        secrets |= {f"{name} before": before[name], f"{name} now": now[name]}
    return {**secrets, "secret key": before["secret_key"], "parameter": f"{CANARY}-param", "by command": token}


def _mistakes(web: Web, lets_in: dict[str, str]) -> None:
    """What is mistyped, cut off, or put into the wrong place."""
    token, stranger = lets_in["token"], Person(web)
    eventually(lambda: "data" in web.ask(token, VIEWER["query"]), 60)
    web.ask(token, VIEWER["query"], f"/graphql/{token}")
    web.ask(token, f"# {token}\n{{ x }}", x=token)
    web.ask(token[:-1], VIEWER["query"])
    web.write(f"GET /start/{lets_in['link']}\r\n\r\n")
    web.write(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {token}\r\n\r\n")
    for way in ("shared", "start", "join"):
        stranger.get(f"/{way}/{lets_in['share']}x/")
    stranger.get(f"/nowhere/?token={token}")


def _left(stack: Stack, lets_in: dict[str, str]) -> set[tuple[str, str]]:
    """Which of them stand in which file of the stack's folder."""
    own = {"parameter", *(name for name in lets_in if name.startswith("millrace_"))}  # of a task, of a session
    found = set()
    for path in stack.var.rglob("*"):
        if not path.is_file() or path.is_symlink() or path.name in CLOSED:
            continue
        content, name = path.read_bytes(), str(path.relative_to(stack.var))
        expected = own if name.startswith(("millrace.sqlite3", "broker/data/")) else set()
        found |= {(key, name) for key in lets_in.keys() - expected if lets_in[key].encode() in content}
    return found

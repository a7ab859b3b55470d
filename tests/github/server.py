"""A stand-in for GitHub: its login, and the questions that a hub asks.

Every answer begins as an example of GitHub's own description of its API and is checked against the
schema there, so that the hub sees nothing that GitHub could not say.

Arguments: the port, and a file with the state, which is read anew for every answer.
"""

from __future__ import annotations

import copy
import json
import math
import secrets
import sys
import time
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from jsonschema import Draft202012Validator

OPENAPI = json.loads((Path(__file__).parent / "data/openapi.json").read_text())
SCOPES = {"/user/emails": {"user:email", "user"}, "/user/orgs": {"read:org", "user"}}
SCOPES["/user/teams"] = {"read:org", "repo"}


@cache
def validator(path: str) -> Draft202012Validator:
    schema = OPENAPI["paths"][path]["schema"]
    if path == "/user":
        schema = {"$ref": "#/components/schemas/private-user"}
    return Draft202012Validator({**schema, "components": OPENAPI["components"]})


def example(name: str) -> Any:
    value = copy.deepcopy(OPENAPI["components"]["examples"][name]["value"])
    return value[0] if isinstance(value, list) else value


class GitHub:
    """The stand-in; who has which token is all that it remembers."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._codes: dict[str, tuple[str, str]] = {}
        self._tokens: dict[str, tuple[str, set[str], float]] = {}
        self._refreshing: dict[str, tuple[str, str]] = {}

    @property
    def state(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self._state.read_text())
        return read

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login/oauth/authorize", self.authorize),
            web.post("/login/oauth/authorize", self.agree),
            web.post("/login/oauth/access_token", self.give_token),
            *(web.get(f"/api/v3{path}", self.answer) for path in OPENAPI["paths"]),
            web.get("/api/v3/orgs/{organization}/members/{login}", self.tell_membership),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "") for name in ("state", "scope", "redirect_uri")}
        hidden = "".join(f'<input name="{k}" value="{escape(v)}">' for k, v in asked.items())
        page = f'<form method="post">{hidden}<input name="login"></form>'
        return web.Response(text=page, content_type="text/html")

    async def agree(self, request: web.Request) -> web.Response:
        form = await request.post()
        code = secrets.token_hex(10)
        self._codes[code] = str(form["login"]), str(form["scope"])
        query = urlencode({"code": code, "state": form["state"]})
        raise web.HTTPFound(f"{form['redirect_uri']}?{query}")

    async def give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if refresh_token := str(form.get("refresh_token", "")):
            if refresh_token not in self._refreshing:  # each is good for once
                return web.json_response({"error": "bad_refresh_token"})
            login, scope = self._refreshing.pop(refresh_token)
        else:
            login, scope = self._codes.pop(str(form["code"]))
        granted = set(scope.replace(",", " ").split())
        token = f"gho_{secrets.token_urlsafe(27)}"
        self._tokens[token] = login, granted, time.time()
        # GitHub writes commas, whatever RFC 6749 says.
        answer = {"access_token": token, "scope": ",".join(sorted(granted)), "token_type": "bearer"}
        if "valid_since" in self.state:  # tokens that expire, as those of GitHub Apps do
            answer["refresh_token"] = refresh_token = f"ghr_{secrets.token_urlsafe(27)}"
            self._refreshing[refresh_token] = login, scope
        return web.json_response(answer)

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/api/v3")
        state = self.state
        if fault := state.get("faults", {}).get(path):
            headers = fault.get("headers", {})
            return web.json_response({"message": "fault"}, status=fault["status"], headers=headers)
        token = request.headers.get("Authorization", "").partition(" ")[2]
        login, granted, issued = self._tokens.get(token, ("", set(), 0.0))
        person = state["people"].get(login)
        if person is None or issued < state.get("valid_since", 0):
            return web.json_response({"message": "Bad credentials"}, status=401)
        if path in SCOPES and not SCOPES[path] & granted:
            return web.json_response({"message": "Resource not accessible"}, status=403)
        if path == "/user":
            response = self._checked(path, user(login, person))
            response.headers["X-OAuth-Scopes"] = ", ".join(sorted(granted))
            return response
        if path == "/user/emails":
            one = {"email": f"{login}@private.example", "primary": True, "verified": True}
            return self._checked(path, [{**one, "visibility": "private"}])
        listed = [organization(name, state) for name in person["organizations"]]
        if path == "/user/teams":
            listed = [team(org, slug, state) for org, slug in person["teams"]]
        return self._page(request, path, listed)

    async def tell_membership(self, request: web.Request) -> web.Response:
        """Answer as GitHub does somebody who asks about themselves: without a body."""
        token = request.headers.get("Authorization", "").partition(" ")[2]
        login, granted, _ = self._tokens.get(token, ("", set(), 0.0))
        person = self.state["people"].get(login, {"organizations": []})
        known = {name.lower() for name in person["organizations"] if "read:org" in granted}
        is_self = request.match_info["login"].lower() == login.lower()
        is_member = request.match_info["organization"].lower() in known
        return web.Response(status=204 if is_self and is_member else 404)

    def _page(self, request: web.Request, path: str, listed: list[Any]) -> web.Response:
        size = min(100, int(request.query.get("per_page", "30")))
        page = int(request.query.get("page", "1"))
        last = max(1, math.ceil(len(listed) / size))
        response = self._checked(path, listed[(page - 1) * size : page * size])
        if page < last:
            base = self.state.get("next_page_at") or f"http://{request.host}"
            query = urlencode({"per_page": size, "page": page + 1})
            response.headers["Link"] = f'<{base}{request.path}?{query}>; rel="next"'
        return response

    def _checked(self, path: str, body: Any) -> web.Response:
        validator(path).validate(body)
        return web.json_response(body)


def user(login: str, person: Mapping[str, Any]) -> dict[str, Any]:
    body = example("private-user-response-with-public-and-private-profile-information")
    login = person.get("login", login)
    email = person.get("email")
    return {**body, "login": login, "id": person["id"], "name": person.get("name"), "email": email}


def organization(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    body = example("organization-simple-items")
    return {**body, "login": name, "id": state["organizations"][name]}


def team(organization: str, slug: str, state: Mapping[str, Any]) -> dict[str, Any]:
    body = example("team-full-items")
    body |= {"id": state["teams"][f"{organization}/{slug}"], "slug": slug, "name": slug}
    body |= {"parent": None, "type": "organization"}
    owner = {"login": organization, "id": state["organizations"][organization]}
    body["organization"] = {"archived_at": None, **body["organization"], **owner}
    return body


if __name__ == "__main__":
    application = web.Application()
    application.add_routes(GitHub(Path(sys.argv[2])).routes())
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)

"""GitHub's and GitLab's APIs on this machine, as far as secret sync uses them; requests are validated as they validate.

GitHub: https://docs.github.com/en/rest/actions/secrets. GitLab: https://docs.gitlab.com/api/project_level_variables/.
"""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from nacl.public import PrivateKey, SealedBox

TOKEN = "ci-token-of-the-tests"
KEY_ID = "568250167242549743"
GITHUB = re.compile(r"(/repos/[^/]+/[^/]+(?:/actions|/environments/[^/]+)|/orgs/[^/]+/actions)/secrets/([^/]+)")
GITLAB = re.compile(r"/(?:projects|groups)/[^/]+/variables(?:/([^/]+))?")
_MASKABLE = re.compile(r"[A-Za-z0-9+/=@:.~_-]{8,}")


class CiServer:
    """Keeps what is written, decrypted, by place and name.

    ``answers`` come first: (status, body) or a function. Paths that begin with ``refused`` answer 503, if it is set.
    """

    def __init__(self):
        self.stored = {}
        self.requests = []
        self.answers = []
        self.refused = ""
        self._private = PrivateKey.generate()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                server.requests.append((self.command, self.path, dict(self.headers), body))
                answer = server.answers.pop(0) if server.answers else None
                if callable(answer):
                    answer(self)
                    return
                status, content = answer or server.answer(self.command, self.path, self.headers, body)
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(content)

            do_PUT = do_POST = do_GET  # noqa: N815 - named as http.server calls them

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, path, headers, body):
        parts = urlsplit(path)
        if self.refused and path.startswith(self.refused):
            return 503, {}
        if found := GITHUB.fullmatch(unquote(parts.path)):
            place, name = found.groups()
            return self._github(method, place, name, headers, body)
        if found := GITLAB.fullmatch(parts.path):
            return self._gitlab(method, unquote(parts.path), found[1], parse_qs(parts.query), headers, body)
        return 404, {"message": "Not Found"}

    def _github(self, method, place, name, headers, body):
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        if method == "GET" and name == "public-key":
            return 200, {
                "key_id": "568250167242549743",
                "key": base64.b64encode(bytes(self._private.public_key)).decode(),
            }
        if method != "PUT" or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or body.get("key_id") != KEY_ID:
            return 422, {"message": "Validation Failed"}
        if place.startswith("/orgs/") and body.get("visibility") not in {"all", "private", "selected"}:
            return 422, {"message": "visibility is required"}
        value = SealedBox(self._private).decrypt(base64.b64decode(body["encrypted_value"])).decode()
        created = (place, name) not in self.stored
        self.stored[place, name] = value
        return (201, {}) if created else (204, b"")

    def _gitlab(self, method, path, name, query, headers, body):
        if headers["PRIVATE-TOKEN"] != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        place = path.partition("/variables")[0]
        scope = query.get("filter[environment_scope]", [body.get("environment_scope", "*")])[0]
        key = place, scope, name or body["key"]
        if method == "PUT" and key not in self.stored:
            return 404, {"message": "404 Variable Not Found"}
        if body.get("masked") and not _MASKABLE.fullmatch(body["value"]):
            return 400, {"message": {"value": ["is invalid"]}}
        self.stored[key] = body["value"]
        shown = {**body, "key": key[2], "environment_scope": scope, "variable_type": "env_var"}
        return (200 if method == "PUT" else 201), shown

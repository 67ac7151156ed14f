"""What the pipeline asks of GitHub or GitLab: one comment a merge request, the reviewed plan, one issue while there
is drift. Standard library only.

    forge.py comment FILE     post FILE on the merge request, or update the comment that starts with the same line
    forge.py applyable FILE   exit 5 where something stands against the plan in FILE
    forge.py reviewed FILE    fetch into FILE the plan that was made for the merge request behind this commit
    forge.py drift FILE       open an issue with FILE, or update it
    forge.py no-drift         close that issue
"""

import io
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

PROJECT = "__PROJECT__"
LABEL = "voiceops-drift"


class OwnHostOnly(urllib.request.HTTPRedirectHandler):
    """Downloads lead to a storage that has its own signature in the address, and must not see our token."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and urllib.parse.urlsplit(newurl).netloc != urllib.parse.urlsplit(req.full_url).netloc:
            for name in [name for name in new.headers if name.lower() in ("authorization", "private-token")]:
                del new.headers[name]
        return new


OPENER = urllib.request.build_opener(OwnHostOnly)


class Forge:
    """The API at `base`, with the token in `headers`."""

    def __init__(self, base, headers):
        self.base = base.rstrip("/")
        self.headers = {**headers, "Content-Type": "application/json", "User-Agent": "voiceops-ci"}

    def call(self, method, path, body=None):
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, content, self.headers, method=method)
        try:
            with OPENER.open(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:300]}")

    def json(self, method, path, body=None):
        return json.loads(self.call(method, path, body) or b"null")

    def every(self, path):
        """All pages of a list."""
        page, separator = 1, "&" if "?" in path else "?"
        while True:
            found = self.json("GET", f"{path}{separator}per_page=100&page={page}")
            yield from found
            if len(found) < 100:
                return
            page += 1


class GitHub(Forge):
    def __init__(self):
        super().__init__(os.environ["GITHUB_API_URL"], {"Authorization": "Bearer " + os.environ["GITHUB_TOKEN"]})
        self.here = "/repos/" + os.environ["GITHUB_REPOSITORY"]

    def comment(self, text, first):
        number = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))["pull_request"]["number"]
        for held in self.every(f"{self.here}/issues/{number}/comments"):
            if (held["body"] or "").startswith(first):
                return self.json("PATCH", f"{self.here}/issues/comments/{held['id']}", {"body": text})
        return self.json("POST", f"{self.here}/issues/{number}/comments", {"body": text})

    def reviewed(self, environment):
        for pull in self.json("GET", f"{self.here}/commits/{os.environ['GITHUB_SHA']}/pulls"):
            name = f"voiceops-plan-{environment}-{pull['head']['sha']}"
            query = urllib.parse.urlencode({"name": name, "per_page": 1})  # the newest comes first
            for artifact in self.json("GET", f"{self.here}/actions/artifacts?{query}")["artifacts"]:
                packed = self.call("GET", f"{self.here}/actions/artifacts/{artifact['id']}/zip")
                return zipfile.ZipFile(io.BytesIO(packed)).read("plan.json")
        return None

    def issues(self):
        return self.every(f"{self.here}/issues?state=open&labels={LABEL}")

    def open_issue(self, held, title, text):
        if held:
            return self.json("PATCH", f"{self.here}/issues/{held['number']}", {"body": text})
        return self.json("POST", f"{self.here}/issues", {"title": title, "body": text, "labels": [LABEL]})

    def close_issue(self, held):
        self.json("PATCH", f"{self.here}/issues/{held['number']}", {"state": "closed"})


class GitLab(Forge):
    def __init__(self):
        super().__init__(os.environ["CI_API_V4_URL"], {"PRIVATE-TOKEN": os.environ["VOICEOPS_GITLAB_TOKEN"]})
        self.here = "/projects/" + os.environ["CI_PROJECT_ID"]

    def comment(self, text, first):
        notes = f"{self.here}/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
        for held in self.every(notes):
            if held["body"].startswith(first):
                return self.json("PUT", f"{notes}/{held['id']}", {"body": text})
        return self.json("POST", notes, {"body": text})

    def reviewed(self, environment):
        for merge in self.json("GET", f"{self.here}/repository/commits/{os.environ['CI_COMMIT_SHA']}/merge_requests"):
            for pipeline in self.json("GET", f"{self.here}/merge_requests/{merge['iid']}/pipelines"):
                if pipeline["sha"] != merge["sha"]:
                    continue
                for job in self.every(f"{self.here}/pipelines/{pipeline['id']}/jobs"):
                    if job["name"] == f"plan {environment}":
                        return self.call("GET", f"{self.here}/jobs/{job['id']}/artifacts/.voiceops/plan.json")
        return None

    def issues(self):
        return ({**i, "body": i["description"]} for i in self.every(f"{self.here}/issues?state=opened&labels={LABEL}"))

    def open_issue(self, held, title, text):
        if held:
            return self.json("PUT", f"{self.here}/issues/{held['iid']}", {"description": text})
        return self.json("POST", f"{self.here}/issues", {"title": title, "description": text, "labels": LABEL})

    def close_issue(self, held):
        self.json("PUT", f"{self.here}/issues/{held['iid']}", {"state_event": "close"})


def drift_text(marker, environment, found):
    """The issue: what was edited, and the two ways to end it."""
    fence = "`" * max(3, 1 + max((len(line) - len(line.lstrip("`")) for line in found.splitlines()), default=0))
    return (
        f"{marker}\n`{environment}` was edited outside of this repository:\n\n"
        f"{fence}text\n{found.rstrip()}\n{fence}\n\n"
        f"Keep it: `voiceops -e {environment} drift --accept`, and commit. "
        f"Undo it: `voiceops -e {environment} apply`, or the next merge.\n"
    )


def main(command, *files):
    environment = os.environ.get("VOICEOPS_ENV", "")
    text = Path(files[0]).read_text(encoding="utf-8") if files and command != "reviewed" else ""
    if command == "applyable":
        return 5 if json.loads(text)["errored"] else 0
    forge = GitHub() if os.environ.get("GITHUB_ACTIONS") else GitLab()
    marker = f"<!-- voiceops drift {PROJECT} {environment} -->"
    if command == "comment":
        forge.comment(text, text.partition("\n")[0])
    elif command == "reviewed":
        plan = forge.reviewed(environment)
        if plan is None:
            return "No plan was reviewed for this commit: changes come in by a merge request, or are applied by hand."
        Path(files[0]).write_bytes(plan)
    elif command in ("drift", "no-drift"):
        held = next((issue for issue in forge.issues() if (issue["body"] or "").startswith(marker)), None)
        if command == "drift":
            forge.open_issue(held, f"{environment} was edited by hand", drift_text(marker, environment, text))
        elif held:
            forge.close_issue(held)
    else:
        return __doc__
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)

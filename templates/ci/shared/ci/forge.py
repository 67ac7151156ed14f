"""What the pipeline asks of GitHub or GitLab: comments on a merge request, the reviewed plan, one issue while there is
drift. Standard library only.

    forge.py comment FILE          post FILE, or update the pipeline's comment that starts with the same line
    forge.py applyable FILE        exit 5 where something stands against the plan in FILE
    forge.py failed WHAT FILE      post, in the plan's place, that WHAT (validate or plan) failed, with FILE's text
    forge.py reviewed FILE         fetch into FILE the plan that was made for the merge request behind this commit;
                                   its signature, where it has one, into FILE.sig
    forge.py applied CODE FILE     post on that merge request how the apply ended, with FILE's text
    forge.py drift FILE            open an issue with FILE, or update it
    forge.py no-drift              close that issue

A plan is taken only from the run of this pipeline for the merged merge request's last commit, in this repository, by
somebody who may push to it. Comments and issues of others are never changed, whatever they begin with.
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
WORKFLOW = ".github/workflows/voiceops.yml"
LONGEST = 60_000  # characters of a comment; GitHub takes 65,536
LARGEST = 50_000_000  # bytes of a plan


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
        self.reasons = []  # why a plan that was found is not taken

    def call(self, method, path, body=None, absent=None):
        """The answer's bytes; for 404 `absent`, where it is given."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, content, self.headers, method=method)
        try:
            with OPENER.open(request, timeout=60) as answer:
                return answer.read(LARGEST)
        except urllib.error.HTTPError as error:
            if error.code == 404 and absent is not None:
                return absent
            sys.exit(f"{method} {path}: {error.code} {error.read(300).decode(errors='replace')}")
        except OSError as error:
            sys.exit(f"{method} {path}: {error}")

    def json(self, method, path, body=None, absent=None):
        return json.loads(self.call(method, path, body, absent) or b"null")

    def every(self, path):
        """All pages of a list."""
        page, separator = 1, "&" if "?" in path else "?"
        while True:
            found = self.json("GET", f"{path}{separator}per_page=100&page={page}")
            yield from found
            if len(found) < 100:
                return
            page += 1

    def comment(self, number, text):
        """One comment of ours for each first line."""
        first = text.partition("\n")[0]
        for held in self.comments(number):
            if self.is_own(held) and (held["body"] or "").startswith(first):
                return self.edit_comment(number, held, text)
        return self.add_comment(number, text)

    def doubts(self, name, checks):
        """False, with the reasons kept, where one of the checks failed."""
        wrong = [why for why, passed in checks.items() if not passed]
        self.reasons += [f"{name}: {why}" for why in wrong]
        return wrong


class GitHub(Forge):
    def __init__(self):
        super().__init__(os.environ["GITHUB_API_URL"], {"Authorization": "Bearer " + os.environ["GITHUB_TOKEN"]})
        self.repository = os.environ["GITHUB_REPOSITORY"]
        self.here = "/repos/" + self.repository
        # Who comments with the workflow's own token; set VOICEOPS_BOT where it is given another one.
        self.me = os.environ.get("VOICEOPS_BOT") or "github-actions[bot]"

    def this(self):
        """The number of the pull request that this run is for."""
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return event["pull_request"]["number"]

    def is_own(self, held):
        return (held.get("user") or {}).get("login") == self.me

    def comments(self, number):
        return self.every(f"{self.here}/issues/{number}/comments")

    def edit_comment(self, number, held, text):
        self.json("PATCH", f"{self.here}/issues/comments/{held['id']}", {"body": text})

    def add_comment(self, number, text):
        self.json("POST", f"{self.here}/issues/{number}/comments", {"body": text})

    def merged(self):
        """The pull request whose merge is this commit; others that hold the commit, too, don't count."""
        sha, branch = os.environ["GITHUB_SHA"], os.environ["GITHUB_REF_NAME"]
        for pull in self.every(f"{self.here}/commits/{sha}/pulls"):
            checks = {
                "it is not merged": pull.get("merged_at"),
                "its merge is another commit": pull.get("merge_commit_sha") == sha,
                f"it was not for {branch}": pull["base"]["ref"] == branch,
                "it comes from another repository": self.is_here(pull["head"]["repo"]),
            }
            if not self.doubts(f"pull request {pull['number']}", checks):
                return pull
        return None

    def is_here(self, repository):
        return bool(repository) and repository["full_name"].lower() == self.repository.lower()

    def number(self, pull):
        return pull["number"]

    def reviewed(self, environment, pull):
        head = pull["head"]["sha"]
        query = urllib.parse.urlencode({"name": f"voiceops-plan-{environment}-{head}", "per_page": 100})
        found = self.json("GET", f"{self.here}/actions/artifacts?{query}")["artifacts"]
        for artifact in sorted(found, key=lambda artifact: artifact["id"], reverse=True):
            if self.is_trusted(artifact, head):
                packed = self.call("GET", f"{self.here}/actions/artifacts/{artifact['id']}/zip")
                with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                    if any(item.file_size > LARGEST for item in archive.infolist()):
                        sys.exit("The plan is too large.")
                    signed = "plan.json.sig" in archive.namelist()
                    return archive.read("plan.json"), archive.read("plan.json.sig") if signed else b""
        return None

    def is_trusted(self, artifact, head):
        """Anybody who may run a workflow in this repository can store an artifact of any name."""
        name = f"artifact {artifact['id']}"
        if artifact.get("expired") or not artifact.get("workflow_run"):
            return not self.doubts(name, {"it has expired": False})
        run = self.json("GET", f"{self.here}/actions/runs/{artifact['workflow_run']['id']}")
        checks = {
            "it was made for another commit": run["head_sha"] == head,
            "it was made in another repository": self.is_here(run["repository"]),
            "its commit is of another repository": self.is_here(run["head_repository"]),
            "it was made by another workflow": run["path"].partition("@")[0] == WORKFLOW,
            "it was not made for a pull request": run["event"] == "pull_request",
            "who started its run may not push here": self.may_push(run["triggering_actor"]),
        }
        return not self.doubts(name, checks)

    def may_push(self, user):
        if not user or user.get("type") == "Bot":  # an app that the repository's owners let in
            return bool(user)
        path = f"{self.here}/collaborators/{urllib.parse.quote(user['login'])}/permission"
        return self.json("GET", path, absent=b'{"permission": "none"}')["permission"] in ("admin", "maintain", "write")

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
        self.project = int(os.environ["CI_PROJECT_ID"])
        self.here = f"/projects/{self.project}"
        self.me = None

    def this(self):
        """The number of the merge request that this pipeline is for."""
        return os.environ["CI_MERGE_REQUEST_IID"]

    def is_own(self, held):
        if self.me is None:
            self.me = self.json("GET", "/user")["id"]
        return not held.get("system") and (held.get("author") or {}).get("id") == self.me

    def comments(self, number):
        return self.every(f"{self.here}/merge_requests/{number}/notes")

    def edit_comment(self, number, held, text):
        self.json("PUT", f"{self.here}/merge_requests/{number}/notes/{held['id']}", {"body": text})

    def add_comment(self, number, text):
        self.json("POST", f"{self.here}/merge_requests/{number}/notes", {"body": text})

    def merged(self):
        """The merge request whose merge is this commit; others that hold the commit, too, don't count."""
        sha, branch = os.environ["CI_COMMIT_SHA"], os.environ["CI_COMMIT_BRANCH"]
        for merge in self.every(f"{self.here}/repository/commits/{sha}/merge_requests"):
            checks = {
                "it is not merged": merge["state"] == "merged",
                "its merge is another commit": sha
                in (merge.get("merge_commit_sha"), merge.get("squash_commit_sha"), merge["sha"]),
                f"it was not for {branch}": merge["target_branch"] == branch,
                "it comes from another project": self.is_here(merge["source_project_id"], merge["target_project_id"]),
            }
            if not self.doubts(f"merge request {merge['iid']}", checks):
                return merge
        return None

    def is_here(self, *projects):
        return all(project == self.project for project in projects)

    def number(self, merge):
        return merge["iid"]

    def reviewed(self, environment, merge):
        for listed in self.every(f"{self.here}/merge_requests/{merge['iid']}/pipelines"):
            if listed["sha"] != merge["sha"]:
                continue
            pipeline = self.json("GET", f"{self.here}/pipelines/{listed['id']}")
            checks = {
                "it was made for another commit": pipeline["sha"] == merge["sha"],
                "it was made in another project": self.is_here(pipeline["project_id"]),
                "it was not made for a merge request": pipeline["source"] == "merge_request_event",
                "it was made for another merge request": pipeline["ref"].startswith(
                    f"refs/merge-requests/{merge['iid']}/"
                ),
                "who started it may not push here": self.may_push(pipeline["user"]),
            }
            if self.doubts(f"pipeline {listed['id']}", checks):
                continue
            for job in self.every(f"{self.here}/pipelines/{listed['id']}/jobs"):
                if job["name"] == f"plan {environment}":
                    plan = f"{self.here}/jobs/{job['id']}/artifacts/.voiceops/plan.json"
                    return self.call("GET", plan), self.call("GET", plan + ".sig", absent=b"")
        return None

    def may_push(self, user):
        """Developers and above."""
        if not user:
            return False
        member = self.json("GET", f"{self.here}/members/all/{user['id']}", absent=b'{"access_level": 0}')
        return member["access_level"] >= 30

    def issues(self):
        return ({**i, "body": i["description"]} for i in self.every(f"{self.here}/issues?state=opened&labels={LABEL}"))

    def open_issue(self, held, title, text):
        if held:
            return self.json("PUT", f"{self.here}/issues/{held['iid']}", {"description": text})
        return self.json("POST", f"{self.here}/issues", {"title": title, "description": text, "labels": LABEL})

    def close_issue(self, held):
        self.json("PUT", f"{self.here}/issues/{held['iid']}", {"state_event": "close"})


def fenced(text):
    """Text in a fence that nothing in it ends; its end is what is kept of a long one."""
    text = text.rstrip()
    if len(text) > LONGEST:
        text = "…\n" + text[-LONGEST:]
    fence = "`" * max(3, 1 + max((len(line) - len(line.lstrip("`")) for line in text.splitlines()), default=0))
    return f"{fence}text\n{text}\n{fence}\n"


def drift_text(marker, environment, found):
    """The issue: what was edited, and the two ways to end it."""
    return (
        f"{marker}\n`{environment}` was edited outside of this repository:\n\n{fenced(found)}\n"
        f"Keep it: `voiceops -e {environment} drift --accept`, and commit. "
        f"Undo it: `voiceops -e {environment} apply`, or the next merge.\n"
    )


ENDS = {
    0: "was applied.",
    3: "was applied in part: the next apply completes it.",
    4: "was not applied: another run holds the state.",
    5: "was refused: nothing was applied. Plan again in a new pull request.",
}


def applied_text(environment, code, output):
    end = ENDS.get(code, f"failed (exit {code}).")
    return f"<!-- voiceops apply {PROJECT} {environment} -->\n**`{environment}` {end}**\n\n{fenced(output)}"


def failed_text(environment, what, output):
    """In the place of the plan, whose comment has the same first line."""
    return (
        f"<!-- voiceops plan {PROJECT} {environment} -->\n"
        f"**There is no plan for `{environment}`: `voiceops {what}` failed.**\n\n{fenced(output)}"
    )


def main(command, *rest):
    environment = os.environ.get("VOICEOPS_ENV", "")
    text = Path(rest[-1]).read_text(encoding="utf-8", errors="replace") if rest and command != "reviewed" else ""
    if command == "applyable":
        return 5 if json.loads(text)["errored"] else 0
    forge = GitHub() if os.environ.get("GITHUB_ACTIONS") else GitLab()
    marker = f"<!-- voiceops drift {PROJECT} {environment} -->"
    if command == "comment":
        forge.comment(forge.this(), text)
    elif command == "failed":
        forge.comment(forge.this(), failed_text(environment, rest[0], text))
    elif command == "reviewed":
        merged = forge.merged()
        found = forge.reviewed(environment, merged) if merged else None
        if found is None:
            return "\n".join(
                [
                    "No plan was reviewed for this commit: changes come in by a merge request, or are applied by hand.",
                    *(f"    not taken: {reason}" for reason in forge.reasons),
                ]
            )
        plan, signature = found
        Path(rest[0]).write_bytes(plan)
        if signature:
            Path(rest[0] + ".sig").write_bytes(signature)
    elif command == "applied":
        merged = forge.merged()
        if merged:
            forge.comment(forge.number(merged), applied_text(environment, int(rest[0]), text))
    elif command in ("drift", "no-drift"):
        own = (issue for issue in forge.issues() if forge.is_own(issue) and (issue["body"] or "").startswith(marker))
        held = next(own, None)
        if command == "drift":
            forge.open_issue(held, f"{environment} was edited by hand", drift_text(marker, environment, text))
        elif held:
            forge.close_issue(held)
    else:
        return __doc__
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)

"""GitHub's workflows: what they run is named by its commit, and they may do no more than they must."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    return parsed


def test_every_action_is_named_by_its_commit(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    loose = [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)]
    assert not loose, f"Name these by a full commit hash, with the version in a comment: {loose}"


def test_a_token_reads_unless_a_job_says_why_not(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        writes = [name for name, right in job.get("permissions", {}).items() if right == "write"]
        assert len(writes) <= 2
        assert not ("contents" in writes and any("make " in step.get("run", "") for step in job["steps"])), (
            "A job that may write to the repository installs nothing and runs no chapter."
        )


def test_what_a_workflow_makes_is_a_target(workflow: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
        for line in re.findall(r"^make (.*)", step.get("run", ""), flags=re.MULTILINE):
            for target in re.findall(
                r"(?<![=\w.{])[a-z-]+(?![=\w.])", re.sub(r"\$\{\{.*?\}\}|\w+=\S+", "", line)
            ):
                assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), (line, target)


def test_only_a_tag_makes_a_release_and_only_after_its_files_were_installed() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["publish"]["if"] == "github.ref_type == 'tag'"
    assert (jobs["publish"]["needs"], jobs["install"]["needs"]) == ("install", "build")
    assert [name for name, job in jobs.items() if "permissions" in job] == ["publish"]


def test_every_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    matrix = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())["jobs"]["check"]["strategy"]
    targets = [row["target"] for row in matrix["matrix"]["include"]]
    assert targets.count("test") == 1
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target

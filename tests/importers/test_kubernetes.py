"""Kubernetes CronJobs: what each field becomes, and what is refused."""

from typing import Any

import pytest

from cronzimus.importers.kubernetes import import_kubernetes
from cronzimus.importers.report import Imported


def cronjob(
    name: str = "report",
    container: dict[str, Any] | None = None,
    job: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    given = {"name": "main", "image": "shop:1", "command": ["/app/report"], **(container or {})}
    inner = {"template": {"spec": {"containers": [given]}}, **(job or {})}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"schedule": "0 2 * * *", "jobTemplate": {"spec": inner}, **spec},
    }


def imported(*manifests: Any) -> Imported:
    return import_kubernetes((f"k.yaml:{number}", one) for number, one in enumerate(manifests, start=1))


def test_each_field_becomes_ours() -> None:
    manifest = cronjob(
        container={
            "args": ["--day", 5],
            "workingDir": "/app",
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {}}},
                {"name": "C"},
            ],
            "envFrom": [{"secretRef": {"name": "s"}}],
        },
        job={"backoffLimit": 3, "activeDeadlineSeconds": 90},
        timeZone="Europe/Berlin",
        concurrencyPolicy="Replace",
        startingDeadlineSeconds=120,
    )
    found = imported(manifest)
    (document,) = found.documents
    assert document == {
        "id": "report",
        "description": "Kubernetes CronJob shop/report",
        "kind": "shell",
        "params": {"command": ["/app/report", "--day", "5"], "env": {"A": "1", "C": ""}, "cwd": "/app"},
        "trigger": {"type": "cron", "expression": "0 2 * * *"},
        "timezone": "Europe/Berlin",
        "policy": {"overlap": "replace", "max_attempts": 4, "misfire_grace": 120.0, "timeout": 90.0},
    }
    (note,) = found.notes
    assert "needs /app/report in worker.allowed_commands; its image was shop:1" in note.text
    assert "not taken over, as their values lie elsewhere: envFrom, B" in note.text


def test_what_is_left_open_means_what_it_means_there() -> None:
    (document,) = imported(cronjob()).documents
    assert document["policy"] == {"overlap": "allow", "max_attempts": 7, "misfire_grace": 31_536_000.0}
    assert "timezone" not in document and "paused" not in document


def test_a_suspended_one_is_paused() -> None:
    found = imported(cronjob(suspend=True))
    assert found.documents[0]["paused"] is True and found.notes[0].fate == "paused"


def test_a_zone_in_the_schedule_is_understood() -> None:
    (document,) = imported(cronjob(schedule="CRON_TZ=Asia/Tokyo 0 9 * * 1-5")).documents
    assert (document["timezone"], document["trigger"]["expression"]) == ("Asia/Tokyo", "0 9 * * 1-5")


def test_lists_and_several_documents() -> None:
    listed = {
        "kind": "List",
        "items": [cronjob("a"), {"kind": "CronJobList", "items": [cronjob("b"), cronjob("a")]}],
    }
    found = imported(listed, cronjob("c"))
    assert [document["id"] for document in found.documents] == ["a", "b", "a-2", "c"]
    assert found.notes[1].place == "k.yaml:1 item 2 item 1"


def test_more_containers_are_named() -> None:
    manifest = cronjob()
    inner = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    inner["containers"].append({"name": "side"})
    inner["initContainers"] = [{}]
    assert "2 containers: only the first, 'main'" in imported(manifest).notes[0].text
    assert "init containers are left out" in imported(manifest).notes[0].text


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ({"kind": "Deployment"}, "a Deployment is no CronJob"),
        ({}, "no manifest: it has no kind"),
        ("text", "no manifest"),
        ({"kind": "CronJob"}, "spec: is required"),
        (cronjob(schedule=5), "spec.schedule: is required and must be text"),
        (cronjob(schedule="61 * * * *"), "trigger.expression: minute"),
        (cronjob(schedule="@every 5m"), "trigger.expression"),
        (cronjob(timeZone="Mars/Olympus"), "unknown time zone"),
        (cronjob(concurrencyPolicy="Maybe"), "spec.concurrencyPolicy: 'Maybe'"),
        (cronjob(startingDeadlineSeconds="soon"), "spec.startingDeadlineSeconds: 'soon'"),
        (cronjob(job={"backoffLimit": -1}), "backoffLimit: -1"),
        (cronjob(container={"command": []}), "image 'shop:1' brings its own entry point"),
        (cronjob(container={"command": "sh"}), "command and args must be lists"),
        (cronjob(job={"template": {"spec": {"containers": []}}}), "there is none"),
        (cronjob(jobTemplate={}), "jobTemplate.spec: is required"),
    ],
)
def test_what_is_refused_says_why(manifest: Any, why: str) -> None:
    found = imported(manifest)
    assert found.documents == () and why in found.refused[0].text

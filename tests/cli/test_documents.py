"""Job documents as files hold them."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cronzimus.cli.documents import Written, read_documents
from cronzimus.errors import Fault, Invalid
from tests.fixtures.project import Project

ONE = {"id": "one", "trigger": {"type": "manual"}}
TWO = {"id": "two", "trigger": {"type": "manual"}}

LINES = "id: one\ntrigger: {type: manual}\n"
MANUAL = "{trigger: {type: manual}}"

SHAPES = {
    "one.yaml": LINES,
    "one.json": json.dumps(ONE),
    "two.yaml": f"{LINES}---\n{LINES.replace('one', 'two')}",
    "dashes.yaml": f"---\n# the first\n{LINES}--- # the second\n{LINES.replace('one', 'two')}---\n",
    "list.yaml": "- {id: one, trigger: {type: manual}}\n- {id: two, trigger: {type: manual}}\n",
    "list.json": json.dumps([ONE, TWO]),
    "lines.json": f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
    "section.yaml": f"jobs:\n  one: {MANUAL}\n  two:\n    id: two\n    trigger: {{type: manual}}\n",
    "listed.yaml": "jobs:\n- {id: one, trigger: {type: manual}}\n- {id: two, trigger: {type: manual}}\n",
    "section.json": json.dumps({"jobs": {"one": {"trigger": {"type": "manual"}}, "two": TWO}}),
    "flow.yaml": "{id: one, trigger: {type: manual}}",
    "unnamed": json.dumps([ONE, TWO], indent=1),
}


def read(project: Project, name: str, text: str) -> list[dict[str, Any]]:
    return [job.document for job in read_documents(str(write(project, name, text)))]


def write(project: Project, name: str, text: str) -> Path:
    path = project.root / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(project: Project, name: str, text: str) -> str:
    path = write(project, name, text)
    with pytest.raises(Invalid) as error:
        read_documents(str(path))
    return error.value.message.replace(str(path), name)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_read(name: str, project: Project) -> None:
    found = read(project, name, SHAPES[name])
    assert found == ([ONE] if name.startswith(("one", "flow")) else [ONE, TWO])


def test_a_byte_order_mark_is_no_text(project: Project) -> None:
    path = project.root / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ONE).encode())
    assert [job.document for job in read_documents(str(path))] == [ONE]


def test_json_keeps_its_escapes(project: Project) -> None:
    assert read(project, "x.json", '{"id": "\\ud83d\\ude00"}') == [{"id": "😀"}]


def test_yaml_reads_no_surprises(project: Project) -> None:
    document = read(project, "x.yaml", "id: no\nat: 22:30\nday: 2026-01-01\n")[0]
    assert document == {"id": "no", "at": "22:30", "day": "2026-01-01"}


def test_dashes_inside_a_text_are_no_document(project: Project) -> None:
    assert read(project, "x.yaml", "id: one\ntext: |\n  a\n  ---\n  b\n")[0]["text"] == "a\n---\nb\n"


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(ONE).encode())))
    (job,) = read_documents("-")
    assert job.document == ONE and job.where("id") == "<stdin>:1"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.yaml", "", "x.yaml: holds no job"),
        ("x.yaml", "---\n---\n", "x.yaml: holds no job"),
        ("x.json", "", "x.json: holds no job"),
        ("x.json", "[]", "x.json: holds no job"),
        ("x.yaml", "jobs: {}", "x.yaml: holds no job"),
        ("x.yaml", "just text", "x.yaml:1: expected a job: a mapping with id, kind, params and trigger"),
        ("x.yaml", "- 1\n", "x.yaml:1: expected a job"),
        ("x.yaml", "jobs:\n  one: null\n", "x.yaml:2: expected a job"),
        ("x.yaml", "jobs: 7", "x.yaml:1: expected a job"),
        ("x.json", "[[1]]", "x.json:1: expected a job"),
        ("x.yaml", "id: one\nid: two\n", "x.yaml:2:1: key 'id' appears twice (first on line 1)"),
        ("x.yaml", "id: one\n---\nid: [", "x.yaml:3:"),
        ("x.json", '{"id": 1,\n "id": 2}', "x.json:1: not valid JSON: key 'id' appears twice"),
        ("x.json", '{"id": NaN}', "x.json:1: not valid JSON: NaN is not allowed"),
        ("x.json", '{}\n{"id": }', "x.json:2:8: not valid JSON: Expecting value"),
        ("x.json", "[" * 100_000, "x.json:1: not valid JSON"),
        ("x.yaml", "a: &x 1\nb: *x\n", "anchor '&x' is not allowed"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    name: str, text: str, said: str, project: Project
) -> None:
    assert said in refused(project, name, text)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(Invalid, match="gone.yaml: cannot be read: No such file"):
        read_documents("gone.yaml")


def test_a_folder_is_no_file(project: Project) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_documents(str(project.root))


def test_bytes_are_no_text(project: Project) -> None:
    (project.root / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="not UTF-8 text"):
        read_documents("x.yaml")


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("", "jobs.yaml:4"),
        ("trigger", "jobs.yaml:6"),
        ("trigger.0.expression", "jobs.yaml:7"),
        ("trigger.0.nothing", "jobs.yaml:7"),
        ("tags.0", "jobs.yaml:5"),
        ("queue", "jobs.yaml:4"),
    ],
)
def test_fields_of_yaml_have_a_line(field: str, place: str, project: Project) -> None:
    text = "id: one\n---\n# the second\nid: two\ntags: [a]\ntrigger:\n  - {type: cron, expression: x}\n"
    project.write("jobs.yaml", text)
    assert read_documents("jobs.yaml")[1].where(field) == place


def test_fields_of_a_section_have_a_line(project: Project) -> None:
    project.write("jobs.yaml", "jobs:\n  one:\n    kind: sql\n")
    (job,) = read_documents("jobs.yaml")
    assert (job.where("kind"), job.where("params")) == ("jobs.yaml:3", "jobs.yaml:2")


def written() -> Written:
    return Written(dict(ONE), lambda field: {"": "f:1", "id": "f:2"}.get(field, "f:9"))


def test_blame_of_one_fault_is_one_line() -> None:
    error = written().blame(Invalid("id: bad", code="C", faults=[Fault("id", "bad")]))
    assert (error.message, error.code, error.faults) == ("f:2: id: bad", "C", ())


def test_blame_of_many_faults_names_each_place() -> None:
    error = written().blame(Invalid("x", faults=[Fault("id", "bad"), Fault("queue", "worse")]))
    assert error.message == "f:1: 2 faults in job one"
    assert [fault.message for fault in error.faults] == ["f:2: id: bad", "f:9: queue: worse"]


def test_blame_without_faults_keeps_the_message() -> None:
    assert written().blame(Invalid("too large")).message == "f:1: too large"


def test_a_job_without_an_id_is_a_dash() -> None:
    assert (written().name, Written({}, str).name) == ("one", "-")

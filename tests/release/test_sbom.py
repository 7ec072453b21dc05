"""The bill of materials says what the lock says, twice in the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from release import sbom
from release.sbom import licences, pins, written
from release.source import ROOT, Refused

LOCK = """# made by make lock
flask==3.1.3 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via
    #   -c requirements.in
    #   cronzimus (pyproject.toml)
    #   flask-openapi3
flask-openapi3[swagger]==4.3.2 \\
    --hash=sha256:{a}
    # via cronzimus (pyproject.toml)
nowhere-installed==9 ; sys_platform == 'win32' \\
    --hash=sha256:{b}
    # via flask
""".format(a="a" * 64, b="b" * 64)
VENDORED = ROOT / "cronzimus" / "static" / "vendor" / "vendor.toml"
DIGESTS = {"cronzimus-1.0.0.tar.gz": "c" * 64}


def bill(lock: str = LOCK) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("1.0.0", 86400, lock, VENDORED, DIGESTS))
    return found


def test_lock_is_read() -> None:
    found = {pin.name: (pin.version, len(pin.hashes), pin.via) for pin in pins(LOCK)}
    assert found == {
        "flask": ("3.1.3", 2, ("cronzimus", "flask-openapi3")),
        "flask-openapi3": ("4.3.2", 1, ("cronzimus",)),
        "nowhere-installed": ("9", 1, ("flask",)),
    }


def test_our_lock_is_read_whole() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = list(pins(text))
    assert len(found) == text.count("==") - text.count(" == ") > 50
    assert [pin.name for pin in found if not pin.hashes or not pin.via] == []


def test_bill_names_everything_with_hashes_and_licences() -> None:
    by_name = {component["name"]: component for component in bill()["components"]}
    assert set(by_name) == {"flask", "flask-openapi3", "nowhere-installed", "uplot"}
    (fetched,) = by_name["flask"]["externalReferences"]
    assert {one["content"] for one in fetched["hashes"]} == {"a" * 64, "b" * 64}
    assert by_name["uplot"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert "licenses" not in by_name["nowhere-installed"]


def test_bill_says_who_needs_whom() -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill()["dependencies"]}
    assert needs["cronzimus"] == ["pkg:pypi/flask-openapi3@4.3.2", "pkg:pypi/flask@3.1.3", "vendored/uplot"]
    assert needs["pkg:pypi/flask@3.1.3"] == ["pkg:pypi/nowhere-installed@9"]


def test_bill_is_of_the_archives_and_the_commit() -> None:
    about = bill()["metadata"]
    assert about["timestamp"] == "1970-01-02T00:00:00+00:00"
    assert about["component"]["externalReferences"][0]["hashes"][0]["content"] == "c" * 64


def test_bill_is_the_same_twice_and_another_for_another_lock() -> None:
    once, again = (written("1.0.0", 1, LOCK, VENDORED, DIGESTS) for _ in range(2))
    assert once == again
    assert bill()["serialNumber"] != bill(LOCK.replace("==9", "==10"))["serialNumber"]


def test_text_that_is_no_bill_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom.JsonV1Dot6, "output_as_string", lambda *_, **__: '{"bomFormat": "?"}')
    with pytest.raises(Refused, match="not CycloneDX"):
        bill()


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: MIT", "MIT"),
        ("License: BSD", "BSD"),
        (
            "License: MIT\n        and a page of text\nClassifier: License :: OSI Approved :: ISC License (ISCL)",
            "ISC",
        ),
        ("Summary: says nothing", None),
    ],
)
def test_licence_is_what_the_installed_package_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: str, licence: str | None
) -> None:
    info = tmp_path / "invented-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: invented\nVersion: 1.0\n{fields}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = "".join(repr(one) for one in licences("invented", "1.0"))
    assert licence in found if licence else found == ""
    assert licences("invented", "2.0") == licences("not-installed", "1.0") == []

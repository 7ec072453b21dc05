"""What stands around the service fits it and itself: names, ports, users; and a real Prometheus is content with it."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from cronzimus.common.log_text import json_line
from cronzimus.settings import Settings
from tests.e2e.service import Fleet
from tests.e2e.waiting import until
from tests.house.tree import ROOT

HERE = ROOT / "_observability"
FILES = [
    "docker-compose.telemetry.yml",
    "grafana.yaml",
    "loki.yaml",
    "otel-collector-config.yaml",
    "prometheus.yaml",
    "tempo.yaml",
]
BOARD = ROOT / "docs/deployment/grafana/cronzimus.json"
TOKEN = "czk_" + "of-a-test"


def read(name: str) -> dict[str, Any]:
    return dict(YAML(typ="safe").load((HERE / name).read_text("utf-8")))


SERVICES: dict[str, dict[str, Any]] = read(FILES[0])["services"]


def mounts(service: str) -> dict[str, str]:
    """What a container sees where, by its own path; variables stand for their defaults."""
    said = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", one) for one in SERVICES[service]["volumes"]]
    return {one.split(":")[1]: one.split(":")[0] for one in said}


def test_the_six_files_are_there_and_no_other() -> None:
    assert sorted(path.name for path in HERE.iterdir()) == sorted([*FILES, "README.md"])


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_pinned_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"])
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert not any(path.endswith(".sock") for path in mounts(name).values())


@pytest.mark.parametrize("name", SERVICES)
def test_containers_find_what_they_are_given(name: str) -> None:
    given = mounts(name)
    missing = [path for path in given.values() if path != "../logs" and not (HERE / path).is_file()]
    assert missing == []
    named = [word.partition("=")[2] for word in SERVICES[name].get("command", ()) if "config" in word]
    assert [path for path in named if path not in given] == []


def test_collector_defines_what_its_pipelines_use_and_no_more() -> None:
    collector = read("otel-collector-config.yaml")
    pipelines = collector["service"]["pipelines"].values()
    assert len(pipelines) == 2
    for part in ("receivers", "processors", "exporters"):
        used = {component for pipeline in pipelines for component in pipeline[part]}
        assert used == set(collector[part]), part


def test_spans_arrive_where_the_service_sends_them() -> None:
    port = urlsplit(Settings().telemetry.otlp_endpoint).port
    endpoint = read("otel-collector-config.yaml")["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert endpoint == f"0.0.0.0:{port}"
    assert SERVICES["otel-collector"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def listening() -> set[tuple[str, int]]:
    """Which names and ports answer within the network, by each one's own configuration."""
    tempo = read("tempo.yaml")
    grpc = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    metrics = read("otel-collector-config.yaml")["service"]["telemetry"]["metrics"]["address"]
    return {
        ("prometheus", 9090),
        ("localhost", 9090),
        ("loki", read("loki.yaml")["server"]["http_listen_port"]),
        ("tempo", tempo["server"]["http_listen_port"]),
        ("tempo", int(grpc.rpartition(":")[2])),
        ("otel-collector", int(metrics.rpartition(":")[2])),
        ("host.docker.internal", Settings().server.port),
    }


def asked() -> set[tuple[str, int]]:
    """Which names and ports are asked for."""
    urls = [source["url"] for source in read("grafana.yaml")["datasources"]]
    urls += [exporter["endpoint"] for exporter in read("otel-collector-config.yaml")["exporters"].values()]
    for job in read("prometheus.yaml")["scrape_configs"]:
        urls += [target for group in job["static_configs"] for target in group["targets"]]
    split = [urlsplit(url if "://" in url else f"//{url}") for url in urls]
    return {(str(url.hostname), int(url.port or 0)) for url in split}


def test_everybody_asks_where_somebody_listens() -> None:
    assert len(asked()) == 7 and asked() - listening() == set()
    assert {name for name, _ in asked()} - {"localhost", "host.docker.internal"} <= SERVICES.keys()


def test_prometheus_scrapes_the_service_as_it_is_by_default() -> None:
    job = read("prometheus.yaml")["scrape_configs"][0]
    assert job["job_name"] == "cronzimus" and job["metrics_path"] == Settings().telemetry.metrics_endpoint
    assert [found["port"] for found in job["dns_sd_configs"]] == [Settings().server.port]
    (secret,) = SERVICES["prometheus"]["secrets"]
    assert job["authorization"] == {"credentials_file": f"/run/secrets/{secret}"}
    assert secret in read(FILES[0])["secrets"]


def test_data_sources_know_each_other_and_the_board_finds_its_own() -> None:
    grafana = read("grafana.yaml")
    sources = {source["uid"]: source["type"] for source in grafana["datasources"]}
    named = re.findall(r"datasourceUid: (\w+)", (HERE / "grafana.yaml").read_text("utf-8"))
    assert named and set(named) <= sources.keys()
    wanted = set(re.findall(r'"uid": "([^"]+)"', BOARD.read_text("utf-8"))) - {"cronzimus", "${datasource}"}
    variable, *_ = json.loads(BOARD.read_text("utf-8"))["templating"]["list"]
    assert wanted <= sources.keys() and variable["query"] in sources.values()
    (default,) = [source["uid"] for source in grafana["datasources"] if source.get("isDefault")]
    assert sources[default] == variable["query"]


def test_grafana_finds_data_sources_and_board() -> None:
    given = mounts("grafana")
    for kind in ("datasources", "dashboards"):
        assert given[f"/etc/grafana/provisioning/{kind}/cronzimus.yaml"] == "./grafana.yaml"
    (provider,) = read("grafana.yaml")["providers"]
    board = f"{provider['options']['path']}/cronzimus.json"
    assert (HERE / given[board]).resolve() == BOARD
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == board


def test_collector_reads_the_fields_that_a_line_has() -> None:
    level, extra = SimpleNamespace(name="INFO"), {"trace_id": "0" * 32}
    record = {"time": datetime.now(UTC), "level": level, "message": "m", "name": "n", "extra": extra}
    line = json.loads(json_line({**record, "exception": None}))
    operators = read("otel-collector-config.yaml")["receivers"]["filelog"]["operators"]
    named = set(re.findall(r"attributes\.(\w+)", json.dumps(operators)))
    assert named == {"ts", "level", "message", "trace_id"} and named <= line.keys()


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Where a program of Prometheus is."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed: apt-get install prometheus; it judges the configuration")
        return found

    return find


def adapted(folder: Path, target: str) -> Path:
    """Prometheus' configuration with the paths and the target of this machine."""
    token = folder / "token"
    token.write_text(TOKEN)
    text = (HERE / "prometheus.yaml").read_text("utf-8")
    for theirs, ours in (
        ("/etc/prometheus/rules.yaml", str(ROOT / "docs/deployment/prometheus/rules.yaml")),
        ("/run/secrets/cronzimus_token", str(token)),
        ("host.docker.internal:5000", target),
        ("scrape_interval: 15s", "scrape_interval: 1s"),
    ):
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, ours)
    (folder / "prometheus.yaml").write_text(text)
    return folder / "prometheus.yaml"


def test_promtool_takes_the_configuration(tool: Callable[[str], str], tmp_path: Path) -> None:
    path = adapted(tmp_path, "127.0.0.1:5000")
    done = subprocess.run([tool("promtool"), "check", "config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS: 1 rule files found" in done.stdout, done.stdout + done.stderr


@pytest.fixture
def fleet(tmp_path: Path, empty_database_url: str) -> Iterator[Fleet]:
    """A service whose metrics want the token of the file."""
    one = Fleet(tmp_path, empty_database_url, {}, api__auth__enabled=True, api_token=TOKEN)
    yield one
    one.close()


def test_a_real_prometheus_scrapes_a_real_service(
    tool: Callable[[str], str], tmp_path: Path, fleet: Fleet
) -> None:
    port = fleet.start().wait_ready().port
    config = adapted(tmp_path, f"127.0.0.1:{port}")
    log = (tmp_path / "prometheus.log").open("wb")
    words = [
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    process = subprocess.Popen([tool("prometheus"), *words], stdout=log, stderr=log)
    try:
        address = until(lambda: _address(tmp_path / "prometheus.log"), 20, "Prometheus to listen")
        until(lambda: _health(address).get(f"127.0.0.1:{port}") == "up", 20, "the target to be up")
        groups = until(lambda: _ask(address, "rules").get("groups"), 20, "the rules to be there")
        assert sum(len(group["rules"]) for group in groups) > 11
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def _address(log: Path) -> str | None:
    found = re.search(r"Listening on\" address=([\d.:]+)", log.read_text())
    return found[1] if found else None


def _ask(address: str, what: str) -> dict[str, Any]:
    """What it tells; nothing while it is still opening its data."""
    try:
        with urllib.request.urlopen(f"http://{address}/api/v1/{what}", timeout=5) as answer:
            return dict(json.load(answer)["data"])
    except OSError:
        return {}


def _health(address: str) -> dict[str, str]:
    targets = _ask(address, "targets").get("activeTargets", [])
    return {target["labels"]["instance"]: target["health"] for target in targets}

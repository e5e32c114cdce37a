"""The files of deploy/ fit each other and the server. `make lint-deploy` looks at what the chart gives, and
`make image-test` runs the image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from basicaer.service.config import Config
from basicaer.service.config._setting import settings_of
from jsonschema import Draft7Validator, ValidationError

from tests.cluster.balancer import haproxy

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
# Those of the entry point, for its test.
OTHER_VARIABLES = {
    "BASICAER_COMMAND",
    "BASICAER_KEPT_KERNELS",
    "BASICAER_RAY_COMMAND",
    "BASICAER_SHIPPED_KERNELS",
}


def _yaml(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def _files() -> list[Path]:
    return [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]


def test_every_variable_is_a_setting() -> None:
    known = {setting.variable for setting in settings_of(Config)} | OTHER_VARIABLES
    for path in [*_files(), ROOT / "docs/deployment.md"]:
        found = set(re.findall(r"\bBASICAER_[A-Z_]*[A-Z]\b", path.read_text()))
        assert found <= known, f"{path}: {found - known}"


@pytest.mark.parametrize(
    "path",
    [path for path in _files() if path.suffix in (".yaml", ".yml") and "templates" not in path.parts],
    ids=str,
)
def test_yaml_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_charts_values_fit_their_schema() -> None:
    schema = json.loads((DEPLOY / "helm/values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    values = _yaml("helm/values.yaml")
    validator = Draft7Validator(schema)
    validator.validate(values)
    assert values.keys() == schema["properties"].keys() - {"global"}
    for wrong in (
        {"resources": {"limits": {"cpu": 4}}},
        {"auth": ["password"]},
        {"replicas": 0},
        {"replica": 2},
    ):
        with pytest.raises(ValidationError):
            validator.validate({**values, **wrong})


def test_the_chart_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert _yaml("helm/Chart.yaml")["appVersion"] == project["version"]


def test_the_same_user_everywhere() -> None:
    user = re.findall(r"^USER (\d+):(\d+)$", (DEPLOY / "Dockerfile").read_text(), flags=re.M)
    assert user == [("10001", "10001")]
    chart = (DEPLOY / "helm/templates/statefulset.yaml").read_text()
    assert re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", chart) == ["10001"] * 3
    assert "basicaer:x:10001:10001:" in (DEPLOY / "image/strip.sh").read_text()


def test_compose_hardens_every_service_and_publishes_on_this_machine_alone() -> None:
    compose = _yaml("compose.yaml")
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", []):
            assert re.match(r"(\$\{(HTTP_)?LISTEN:-)?127\.0\.0\.1:", port), name
        for volume in service["volumes"]:
            source, named, _ = volume.partition(":")
            assert not named or source in compose["volumes"] or (DEPLOY / source).exists(), source
    server = compose["services"]["server"]
    assert server["environment"]["BASICAER_AUTH"] == "token"
    assert "BASICAER_INSECURE_NO_TLS" not in server["environment"]


def test_composes_cluster_fits_together() -> None:
    compose = _yaml("compose.yaml")
    cluster = {name: its for name, its in compose["services"].items() if its.get("profiles") == ["cluster"]}
    ray = {"ray-head", "ray-node", "ray-work"}
    assert cluster.keys() == {"replica", "worker", "proxy", "postgres", *ray}
    replica, worker = cluster["replica"], cluster["worker"]
    assert replica["deploy"]["replicas"] == worker["deploy"]["replicas"] == 2
    database = replica["environment"]["BASICAER_DATABASE"]
    assert worker["environment"]["BASICAER_DATABASE"] == database
    assert "basicaer@postgres/jobs" in database
    assert replica["environment"]["BASICAER_RUN_JOBS"] == "false"
    # Without TLS, so only where nobody else is.
    for network in replica["networks"]:
        assert compose["networks"][network]["internal"], network
    assert "callers" in cluster["proxy"]["networks"]
    # Whoever reaches Ray, and has its token, may run anything there.
    assert {name for name, its in compose["services"].items() if "ray" in its["networks"]} == ray
    assert compose["networks"]["ray"]["internal"]
    for name in ray:
        its = cluster[name]
        assert its["environment"]["RAY_AUTH_MODE"] == "token"
        assert its["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
        assert "ray_token" in its["secrets"]
        assert its["command"] == [name]
        assert "ray" in its["build"]["args"]["EXTRAS"].split(",")
    assert cluster["ray-work"]["environment"]["BASICAER_DATABASE"] == database
    for name in ("grpc", "http"):
        assert f"backend {name}" in (DEPLOY / "haproxy/servers.cfg").read_text()


def test_the_proxys_files_are_right(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("localhost")
    made.cert_chain_pems[0].write_to_path(str(tmp_path / "proxy.crt"))
    made.private_key_pem.write_to_path(str(tmp_path / "proxy.key"))
    given = _yaml("compose.yaml")["services"]["proxy"]["environment"]
    environment = {name: text.replace("/run/secrets", str(tmp_path)) for name, text in given.items()}
    files = [word for name in ("haproxy", "servers") for word in ("-f", str(DEPLOY / f"haproxy/{name}.cfg"))]
    checked = subprocess.run(
        [haproxy(), "-c", *files], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_prometheus_reads_where_the_server_shows() -> None:
    port = _yaml("compose.yaml")["services"]["server"]["environment"]["BASICAER_METRICS_LISTEN"].rpartition(
        ":"
    )[2]
    alone, shared = _yaml("prometheus/prometheus.yml")["scrape_configs"]
    assert alone["static_configs"] == [{"targets": [f"server:{port}"]}]
    (names,) = shared["dns_sd_configs"]
    assert names == {"names": ["replica", "worker", "ray-work"], "type": "A", "port": int(port)}
    for name in names["names"]:
        environment = _yaml("compose.yaml")["services"][name]["environment"]
        assert environment["BASICAER_METRICS_LISTEN"].endswith(f":{port}")
    assert _yaml("helm/values.yaml")["metrics"]["port"] == int(port)


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads((DEPLOY / "grafana/basicaer.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    told = set(re.findall(r"`(basicaer_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    places: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"], panel
        assert panel["description"], panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not places & cells, f"{panel['title']} lies over another panel"
        places |= cells
        for target in panel["targets"]:
            expression = target["expr"]
            assert expression.count("(") == expression.count(")"), expression
            names = {re.sub(r"_bucket$", "", name) for name in re.findall(r"(\w+)\{instance", expression)}
            assert names, expression
            assert {name for name in names if not name.startswith("process_")} <= told, expression


def test_the_units_configuration_can_be_used(tmp_path: Path) -> None:
    settings = tomllib.loads((DEPLOY / "systemd/basicaer.toml").read_text())
    assert settings.keys() <= {setting.name for setting in settings_of(Config)}
    Config(
        data_dir=tmp_path,
        listen=settings["listen"],
        auth=tuple(settings["auth"]),
        tls_certificate=tmp_path / "crt",
        tls_key=tmp_path / "key",
    )


def test_what_the_readme_starts_is_for_this_machine_and_can_be_started(tmp_path: Path) -> None:
    (command,) = re.findall(r"^docker run .*$", (ROOT / "README.md").read_text(), flags=re.M)
    arguments = shlex.split(command)
    assert arguments[arguments.index("-p") + 1] == "127.0.0.1:50051:50051"
    flags = arguments[arguments.index("serve") + 1 :]
    image = dict(re.findall(r"(BASICAER_\w+)=(\S+)", (DEPLOY / "Dockerfile").read_text()))
    shown = subprocess.run(
        [sys.executable, "-m", "basicaer.service.cli", "config", *flags],
        env={**os.environ, **image, "BASICAER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr


def test_the_guides_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "docs/deployment.md").read_text()):
        assert (ROOT / "docs" / target).exists(), target


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Kernels as an image has them."""
    folder = tmp_path / "shipped" / "version-1"
    folder.mkdir(parents=True)
    (folder / "kernel.nbi").write_text("compiled")
    return folder.parent


def _entry(shipped: Path, kept: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point, whose command prints where it takes kernels from, and its process id."""
    command = shipped.parent / "command"
    command.write_text('#!/bin/sh\necho "${NUMBA_CACHE_DIR:-}|$*|$$"\n')
    command.chmod(0o755)
    variables = {
        "BASICAER_SHIPPED_KERNELS": str(shipped),
        "BASICAER_KEPT_KERNELS": str(kept),
        "BASICAER_COMMAND": str(command),
        "BASICAER_RAY_COMMAND": str(command),
        "PATH": os.environ["PATH"],
        **more,
    }
    process = subprocess.Popen(
        [DEPLOY / "image/entrypoint.sh", *arguments],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate(timeout=30)
    out = out.replace(f"|{process.pid}\n", "|itself\n")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_the_entry_point_becomes_its_command_and_brings_kernels(shipped: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = _entry(shipped, kept, "serve", "--workers", "2")
    assert done.stdout == f"{kept}/version-1|serve --workers 2|itself\n", done.stderr
    assert (kept / "version-1/kernel.nbi").read_text() == "compiled"


def test_kernels_in_the_volume_stay_until_the_next_version(shipped: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    _entry(shipped, kept, "serve")
    (kept / "version-1/own.nbi").write_text("of this processor")
    _entry(shipped, kept, "serve")
    assert (kept / "version-1/own.nbi").exists()
    (shipped / "version-1").rename(shipped / "version-2")
    _entry(shipped, kept, "serve")
    assert [path.name for path in kept.iterdir()] == ["version-2"]


def test_other_commands_leave_the_volume_alone(shipped: Path, tmp_path: Path) -> None:
    done = _entry(shipped, tmp_path / "kept", "token", "list")
    assert done.stdout == "|token list|itself\n"
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("ray-head", "--head --port=6379 --include-dashboard=false"),
        ("ray-node", "--address=head:6379"),
    ],
)
def test_the_entry_point_becomes_a_node_of_ray(
    shipped: Path, tmp_path: Path, command: str, started: str
) -> None:
    kept = tmp_path / "kept"
    done = _entry(shipped, kept, command, "--num-cpus=3", RAY_HEAD="head:6379", RAY_NODE_MEMORY="1000000000")
    memory = "--memory=700000000 --object-store-memory=200000000"
    given = f"start --block --disable-usage-stats {memory} {started} --num-cpus=3"
    assert done.stdout == f"{kept}/version-1|{given}|itself\n", done.stderr
    assert "RAY_NODE_MEMORY" in _entry(shipped, kept, command, RAY_HEAD="head:6379").stderr


def test_the_entry_point_drives_ray_as_a_node_without_jobs(shipped: Path, tmp_path: Path) -> None:
    done = _entry(shipped, tmp_path / "kept", "ray-work", "--workers", "3", RAY_HEAD="head:6379")
    node, work = done.stdout.splitlines()
    assert "start --address=head:6379 --num-cpus=0 --memory=67108864" in node
    assert work.endswith("|work --executor ray://head:6379 --workers 3|itself")

"""What the chart gives, for each way to install it, fits the Kubernetes API's schemas and itself.

    check_chart.py HELM

The schemas come with the package kubernetes-validate, so that no cluster and no network is needed. A
ServiceMonitor is the Prometheus operator's, and has no schema there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

CHART = Path(__file__).parents[1] / "helm"
OLDEST, NEWEST = "1.27", "1.36"
# Values, and the kinds that they must give.
ALWAYS = {"StatefulSet", "Service", "NetworkPolicy"}
WAYS: list[tuple[dict[str, Any], set[str]]] = [
    ({"tls": {"secretName": "tls"}}, ALWAYS),
    ({"insecure": {"noTls": True, "noAuth": True}, "auth": []}, ALWAYS),
    ({"insecure": {"noTls": True}, "networkPolicy": {"enabled": False}}, ALWAYS - {"NetworkPolicy"}),
    (
        {
            "tls": {"secretName": "tls", "clientCaSecretName": "ca"},
            "auth": ["token", "jwt", "certificate"],
            "jwt": {"secretName": "keys", "issuer": "https://issuer.example", "audience": "basicaer"},
            "metrics": {"enabled": True, "serviceMonitor": {"enabled": True, "labels": {"release": "p"}}},
            "podDisruptionBudget": {"enabled": True},
            "image": {"repository": "example.org/basicaer", "tag": "1", "pullSecrets": [{"name": "pull"}]},
            "persistence": {"size": "1Ti", "storageClassName": "fast"},
            "settings": {"max_shots": 1000000, "reflection": False, "result_retention": "7d"},
            "networkPolicy": {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "quantum", "operator": "Exists"}],
            "priorityClassName": "high",
            "podAnnotations": {"note": "yes"},
        },
        {*ALWAYS, "ServiceMonitor", "PodDisruptionBudget"},
    ),
]
WAYS += [
    (
        {
            "tls": {"secretName": "tls"},
            "database": {"secretName": "db", "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
            "replicas": 3,
            "workers": {"replicas": workers, "settings": {"lease_time": "5s"}},
            "metrics": {"enabled": True},
            "podDisruptionBudget": {"enabled": True},
        },
        {*ALWAYS, "PodDisruptionBudget", *(["Deployment"] if workers else [])},
    )
    for workers in (0, 2)
]
RAY = {"enabled": True, "tokenSecretName": "token"}
WAYS += [
    (
        {
            "tls": {"secretName": "tls"},
            "database": {"secretName": "db"},
            "ray": {**RAY, "workers": {"replicas": 3}, "settings": {"lease_time": "5s"}},
            "metrics": {"enabled": metrics},
            "networkPolicy": {"enabled": policy},
        },
        {"StatefulSet", "Service", "Deployment", "RayCluster", *(["NetworkPolicy"] if policy else [])},
    )
    for metrics, policy in ((True, True), (False, True), (False, False))
]
# Kinds of operators, which have no schema there; a RayCluster's pods are looked at as a Deployment's are.
FOREIGN = {"ServiceMonitor", "RayCluster"}
# What must be refused, and a word of the reason.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "tls.secretName"),
    ({"tls": {"secretName": "tls"}, "auth": []}, "insecure.noAuth"),
    ({"tls": {"secretName": "tls"}, "auth": ["certificate"]}, "clientCaSecretName"),
    ({"tls": {"secretName": "tls"}, "auth": ["jwt"]}, "jwt.issuer"),
    ({"tls": {"secretName": "tls"}, "replicas": 2}, "database.secretName"),
    ({"tls": {"secretName": "tls"}, "workers": {"replicas": 1}}, "database.secretName"),
    ({"tls": {"secretName": "tls"}, "ray": RAY}, "database.secretName"),
    (
        {"tls": {"secretName": "tls"}, "database": {"secretName": "db"}, "ray": {"enabled": True}},
        "ray.tokenSecretName",
    ),
    ({"tls": {"secretName": "tls"}, "resources": {"limits": {"memory": None}}}, "memory"),
]


def _helm(helm: str, command: str, values: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [helm, command, *([] if command == "lint" else ["release"]), str(CHART), "--values", "-"]
    arguments += ["--kube-version", f"{NEWEST}.0", *options]
    return subprocess.run(arguments, input=json.dumps(values), capture_output=True, text=True, check=False)


def main(helm: str) -> None:
    """Check every way; raises AssertionError or ValidationError at the first fault."""
    for values, kinds in WAYS:
        linted = _helm(helm, "lint", values, "--strict")
        assert linted.returncode == 0, linted.stdout + linted.stderr
        rendered = _helm(helm, "template", values)
        assert rendered.returncode == 0, rendered.stderr
        documents = [document for document in yaml.safe_load_all(rendered.stdout) if document]
        assert {document["kind"] for document in documents} == kinds
        for document in documents:
            checked = _pods(document) if document["kind"] == "RayCluster" else [document]
            for version in (OLDEST, NEWEST):
                for one in checked:
                    if one["kind"] not in FOREIGN:
                        kubernetes_validate.validate(one, version, strict=True)
        _check_names(documents)
    for values, reason in REFUSED:
        refused = _helm(helm, "template", values)
        assert refused.returncode != 0, values
        assert reason in refused.stderr, refused.stderr
    print(f"the chart: {len(WAYS)} ways fit Kubernetes {OLDEST} and {NEWEST}, {len(REFUSED)} are refused")


def _pods(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pods of a RayCluster, each as one of its own."""
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    head = {"apiVersion": "v1", "kind": "Pod"}
    return [{**head, **group["template"]} for group in groups]


def _check_names(documents: list[dict[str, Any]]) -> None:
    """Selectors find pods, ports have their names, and a volume is there for each mount."""
    pods = [item["spec"] for item in documents if item["kind"] in ("StatefulSet", "Deployment")]
    pods += [{"template": pod} for item in documents if item["kind"] == "RayCluster" for pod in _pods(item)]
    found = []
    for pod in pods:
        (container,) = pod["template"]["spec"]["containers"]
        volumes = {volume["name"] for volume in pod["template"]["spec"].get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in pod.get("volumeClaimTemplates", [])}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        names = [variable["name"] for variable in container["env"]]
        assert len(names) == len(set(names)), names
        labels = pod["template"]["metadata"]["labels"]
        if "selector" in pod:
            assert pod["selector"]["matchLabels"].items() <= labels.items()
        found.append((labels, {port["name"] for port in container["ports"]}))

    def ports_of(selector: dict[str, str]) -> set[str]:
        its = [ports for labels, ports in found if selector.items() <= labels.items()]
        assert its, selector
        return set.intersection(*its)

    for document in documents:
        if document["kind"] == "Service":
            ports = ports_of(document["spec"]["selector"])
            assert {port["targetPort"] for port in document["spec"]["ports"]} <= ports
        if document["kind"] == "NetworkPolicy":
            ports = ports_of(document["spec"]["podSelector"]["matchLabels"])
            opened = [port for rule in document["spec"]["ingress"] for port in rule.get("ports", [])]
            assert {port["port"] for port in opened} <= ports
        if document["kind"] == "ServiceMonitor":
            services = [item for item in documents if item["kind"] == "Service"]
            wanted = document["spec"]["selector"]["matchLabels"].items()
            (shown,) = [item for item in services if wanted <= item["metadata"]["labels"].items()]
            assert document["spec"]["endpoints"][0]["port"] in {
                port["name"] for port in shown["spec"]["ports"]
            }


if __name__ == "__main__":
    main(sys.argv[1])

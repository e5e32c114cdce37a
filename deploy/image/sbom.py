"""Lists what is in an image that `make image` has built, as a CycloneDX document.

    sbom.py IMAGE FILE

CycloneDX's own tool reads the Python packages, with their licences and who needs whom; Debian's come from the
list that dpkg keeps, and the page's from the list that its build wrote.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = "basicaer/service/doors/http/page/static/packages.json"


def _buildah(*arguments: str) -> str:
    environment = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs", **os.environ}
    done = subprocess.run(
        ["buildah", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def _python_packages(site_packages: Path) -> dict[str, Any]:
    """Return the tool's document for a folder of packages; it wants to see an environment that runs."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=False)
        (own,) = Path(folder).glob("lib/python3*/site-packages")
        own.rmdir()
        own.symlink_to(site_packages)
        tool = Path(sys.executable).with_name("cyclonedx-py")
        command = [
            str(tool),
            "environment",
            f"{folder}/bin/python",
            "--pyproject",
            str(ROOT / "pyproject.toml"),
        ]
        command += ["--output-reproducible", "--mc-type", "application"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _debian_packages(status: Path) -> list[dict[str, Any]]:
    found = []
    for paragraph in status.read_text().split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " "
        )
        if fields.get("Status") != "install ok installed":
            continue
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    return sorted(found, key=lambda component: component["name"])


def _page_packages(file: Path) -> list[dict[str, Any]]:
    """Return what of others is in the page, as its build has noted it."""
    found = []
    for each in json.loads(file.read_text()):
        name, version = each["name"], each["version"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        found.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "purl": purl,
                "licenses": [{"license": {"id": each["licence"]}}],
            }
        )
    return found


def main(image: str, file: str) -> None:
    """Write the document."""
    container = _buildah("from", "--pull-never", image)
    try:
        root = Path(_buildah("mount", container))
        (site_packages,) = root.glob("opt/basicaer/lib/python3*/site-packages")
        document = _python_packages(site_packages)
        page = _page_packages(site_packages / PAGE)
        python = len(document["components"])
        document["components"] += page
        document["components"] += _debian_packages(root / "var/lib/dpkg/status")
    finally:
        _buildah("rm", container)
    Path(file).write_text(json.dumps(document, indent=2) + "\n")
    debian = len(document["components"]) - python - len(page)
    print(f"{file}: {python} Python packages, {len(page)} of the page and {debian} of Debian")


if __name__ == "__main__":
    main(*sys.argv[1:])

# noqa: INP001 - a script beside its data, not a package
"""Copy the front-end assets that pages use from their npm packages into `static/vendor/`.

Run it after changing a version or the list of icons below: `python static/update_vendor.py`.
It needs `npm` and a network; a running Tandem needs neither, since the copies are committed.
What was copied, from which version, under which licence and with which SHA-256 is written to
`static/vendor/manifest.json`, which a test compares with the files.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"

ICONS = """
    arrow-left arrow-right arrow-right-left ban bell book-open briefcase building-2 calendar
    calendar-clock check check-check chevron-down chevron-left chevron-right circle circle-alert
    circle-check circle-dashed circle-help circle-pause circle-play circle-x clock columns-3
    ellipsis eye flag globe handshake hourglass inbox info keyboard layout-list link list
    list-checks log-out mail message-square milestone monitor moon move-right package-check
    paperclip pencil plus radio rotate-ccw search settings-2 shield-check square-check-big sun
    trophy triangle-alert undo-2 user user-check user-plus users x zap
""".split()  # noqa: SIM905 - a list of words reads best as words


@dataclass(frozen=True)
class Package:
    """One npm package: which of its files are copied, and where to."""

    name: str
    version: str
    licence: str
    licence_file: str
    files: dict[str, str]

    @property
    def folder(self) -> str:
        return self.name.rsplit("/", 1)[-1]


PACKAGES = (
    Package("htmx.org", "4.0.1", "0BSD", "LICENSE", {"dist/htmx.min.js": "htmx.min.js"}),
    Package(
        "basecoat-css",
        "1.0.2",
        "MIT",
        "LICENSE.md",
        {"dist/basecoat-nova.cdn.min.css": "basecoat-nova.min.css"},
    ),
    Package("sortablejs", "1.15.7", "MIT", "LICENSE", {"Sortable.min.js": "sortable.min.js"}),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        "LICENSE",
        {
            "files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
            "files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
        },
    ),
    Package(
        "lucide-static", "1.62.0", "ISC", "LICENSE", {f"icons/{name}.svg": f"{name}.svg" for name in ICONS}
    ),
)

_SOURCE_MAP = re.compile(rb"\n?(//|/\*)# sourceMappingURL=[^\n*]*(\*/)?")


def unpack(package: Package, into: Path) -> Path:
    """Fetch the package as npm publishes it, without running any script of it; answers its folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not on the PATH. Install Node.js, then run this again.")
    spec = f"{package.name}@{package.version}"
    done = subprocess.run(  # noqa: S603 - the words are the table above
        [npm, "pack", "--silent", "--ignore-scripts", spec],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    with tarfile.open(into / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(into / package.folder, filter="data")
    return into / package.folder / "package"


def cleaned(name: str, content: bytes) -> bytes:
    """Without the pointer to a source map that is not copied; icons on one line."""
    if name.endswith(".svg"):
        return b" ".join(content.split()).replace(b"> <", b"><") + b"\n"
    return _SOURCE_MAP.sub(b"", content)


def copy(package: Package, source: Path) -> dict[str, object]:
    """Copy the package's files and licence, and answer its entry in the manifest."""
    target = VENDOR / package.folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    digests = {}
    wanted = package.files | {package.licence_file: "LICENSE"}
    for origin, name in sorted(wanted.items(), key=lambda pair: pair[1]):
        content = cleaned(name, (source / origin).read_bytes())
        (target / name).write_bytes(content)
        digests[f"{package.folder}/{name}"] = hashlib.sha256(content).hexdigest()
    return {"name": package.name, "version": package.version, "licence": package.licence, "sha256": digests}


def main() -> None:
    """Copy everything anew and write the manifest."""
    VENDOR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        entries = [copy(package, unpack(package, Path(scratch))) for package in PACKAGES]
    (VENDOR / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

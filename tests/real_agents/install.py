"""Install the pinned agent programs of pins.toml into `.agents/` of this repository, each in a folder of its own.

    python tests/real_agents/install.py [NAME[-VERSION] ...]

Never global, never outside the repository. It knows nothing of how an agent is driven (agents/*.toml does).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
AGENTS = HERE.parent.parent / ".agents"


@dataclass(frozen=True)
class Pin:
    """One program at one version."""

    name: str
    package: str
    version: str
    bin: str

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def folder(self) -> Path:
        return AGENTS / self.label

    @property
    def program(self) -> Path:
        """Where the program is once it is installed."""
        return self.folder / "node_modules" / ".bin" / self.bin

    @property
    def installed(self) -> bool:
        return (self.folder / "installed").is_file() and self.program.exists()


def pins() -> list[Pin]:
    """Everything in pins.toml, in its order."""
    return [Pin(**entry) for entry in tomllib.loads((HERE / "pins.toml").read_text("utf-8"))["agent"]]


def install(pin: Pin) -> None:
    """Raises CalledProcessError with npm's own words on stderr, FileNotFoundError without npm."""
    # A half-finished folder of an interrupted install is worthless and may not be mistaken for a whole one.
    shutil.rmtree(pin.folder, ignore_errors=True)
    pin.folder.mkdir(parents=True)
    npm = ["npm", "install", "--prefix", str(pin.folder), "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, f"{pin.package}@{pin.version}"], check=True, cwd=pin.folder)
    (pin.folder / "installed").write_text(pin.version, "utf-8")


def main(wanted: list[str]) -> int:
    chosen = [pin for pin in pins() if not wanted or pin.name in wanted or pin.label in wanted]
    if not chosen:
        print(f"Nothing in pins.toml is called {', '.join(wanted)}.", file=sys.stderr)
        return 2
    if shutil.which("npm") is None:
        print("npm is not installed; the real agents are npm packages, so nothing can be installed.", file=sys.stderr)
        return 2
    for pin in chosen:
        if pin.installed:
            print(f"{pin.label}: already there")
            continue
        print(f"{pin.label}: installing {pin.package}@{pin.version}", flush=True)
        try:
            install(pin)
        except subprocess.CalledProcessError as error:
            print(f"{pin.label}: npm ended with {error.returncode}; what it printed stands above.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

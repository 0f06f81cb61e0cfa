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
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
AGENTS = HERE.parent.parent / ".agents"


@dataclass(frozen=True)
class Pin:
    """One program at one version. `options`: more arguments for the program that installs it; `python`: the version
    that a PyPI package needs, where it is not ours."""

    name: str
    package: str
    version: str
    bin: str
    source: Literal["npm", "pypi"] = "npm"
    options: tuple[str, ...] = ()
    python: str = ""

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def folder(self) -> Path:
        return AGENTS / self.label

    @property
    def program(self) -> Path:
        """Where the program is once it is installed."""
        inside = "node_modules/.bin" if self.source == "npm" else "venv/bin"
        return self.folder / inside / self.bin

    @property
    def installed(self) -> bool:
        return (self.folder / "installed").is_file() and self.program.exists()


def pins() -> list[Pin]:
    """Everything in pins.toml, in its order."""
    return [_pin(entry) for entry in tomllib.loads((HERE / "pins.toml").read_text("utf-8"))["agent"]]


def _pin(entry: dict[str, Any]) -> Pin:
    return Pin(**{**entry, "options": tuple(entry.get("options", ()))})


def install(pin: Pin) -> None:
    """Raises CalledProcessError with the installer's own words on stderr, FileNotFoundError without one."""
    # A half-finished folder of an interrupted install is worthless and may not be mistaken for a whole one.
    shutil.rmtree(pin.folder, ignore_errors=True)
    pin.folder.mkdir(parents=True)
    for command in _npm(pin) if pin.source == "npm" else _pypi(pin):
        subprocess.run(command, check=True, cwd=pin.folder)
    (pin.folder / "installed").write_text(pin.version, "utf-8")


def _npm(pin: Pin) -> list[list[str]]:
    npm = ["npm", "install", "--prefix", str(pin.folder), "--no-audit", "--no-fund", "--loglevel=error"]
    return [[*npm, *pin.options, f"{pin.package}@{pin.version}"]]


def _pypi(pin: Pin) -> list[list[str]]:
    """Into a virtual environment of its own: what it depends on is no business of ours."""
    venv, wanted = str(pin.folder / "venv"), f"{pin.package}=={pin.version}"
    python = f"{venv}/bin/python"
    if shutil.which("uv"):
        make = ["uv", "venv", "--quiet", "--python", pin.python or sys.executable, venv]
        return [make, ["uv", "pip", "install", "--quiet", "--python", python, *pin.options, wanted]]
    make = [f"python{pin.python}" if pin.python else sys.executable, "-m", "venv", venv]
    return [make, [python, "-m", "pip", "install", "--quiet", *pin.options, wanted]]


def main(wanted: list[str]) -> int:
    chosen = [pin for pin in pins() if not wanted or pin.name in wanted or pin.label in wanted]
    if not chosen:
        print(f"Nothing in pins.toml is called {', '.join(wanted)}.", file=sys.stderr)
        return 2
    failed = 0
    for pin in chosen:
        if pin.installed:
            print(f"{pin.label}: already there")
            continue
        print(f"{pin.label}: installing {pin.package}@{pin.version}", flush=True)
        try:
            install(pin)
        except subprocess.CalledProcessError as error:
            print(f"{pin.label}: {error.cmd[0]} ended with {error.returncode}; see above.", file=sys.stderr)
            failed += 1
        except FileNotFoundError as error:
            print(f"{pin.label}: {error.filename} is not installed, and it is a {pin.source} package.", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

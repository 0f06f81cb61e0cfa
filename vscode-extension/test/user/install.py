"""Install a real VS Code for the user tests into `.editors/` of this repository: code-server, its own Node, a browser.

    python vscode-extension/test/user/install.py

The npm package of code-server carries the whole VS Code server build, so nothing comes from anywhere but npm and, for
the build tools and the browser, the system's package manager (as root on Debian and Ubuntu; else it is said what to
install). Nothing is done twice. It knows nothing of the extension.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

EDITORS = Path(__file__).resolve().parents[3] / ".editors"
CODE_SERVER = "4.139.1"
"""VS Code 1.139.1. A newer one is tried by changing this line and the next."""
NODE = "24.9.0"
"""code-server refuses any other major version of Node than the one that it was built for."""

BUILD_PACKAGES = ("build-essential", "pkg-config", "libkrb5-dev", "libsecret-1-dev", "libx11-dev", "libxkbfile-dev")
"""Debian's names for what code-server's native modules are compiled with."""
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class CannotInstall(Exception):
    """What is missing, and what the person can do about it: one sentence each."""


def say(text: str) -> None:
    print(f"editor: {text}", file=sys.stderr, flush=True)


def browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def node_package() -> str:
    """The npm package that holds the binary and the headers for this machine."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    if system is None or machine is None:
        raise CannotInstall(f"There is no packaged Node for {platform.system()} on {platform.machine()}.")
    return f"node-bin-{system}-{machine}" if (system, machine) == ("darwin", "arm64") else f"node-{system}-{machine}"


# ---- the system's packages -------------------------------------------------------------------------------------------


def absent(packages: tuple[str, ...]) -> list[str]:
    """Those that dpkg does not know as installed."""

    def installed(package: str) -> bool:
        asked = subprocess.run(["dpkg-query", "-Wf", "${Status}", package], capture_output=True, text=True)
        return asked.stdout.endswith(" installed")

    return [package for package in packages if not installed(package)]


def system_packages() -> None:
    """Raises CannotInstall where packages are needed and this user may not install them."""
    if not shutil.which("dpkg-query"):
        if browser() is None:
            raise CannotInstall("Chromium (or Chrome) is needed: install it with your system's package manager.")
        # Elsewhere there is no telling by name; npm says it soon enough when a compiler is missing.
        return
    wanted = absent(BUILD_PACKAGES) if not whole(CODE_SERVER_FOLDER) else []
    wanted += [] if browser() else ["chromium"]
    if not wanted:
        return
    how = f"apt-get install -y {' '.join(wanted)}"
    if os.geteuid() != 0:
        raise CannotInstall(f'More packages are needed: run "sudo {how}", then this again.')
    say(how)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for _ in range(2):
        if subprocess.run([*how.split(), "-qq"], env=environment, stdout=subprocess.DEVNULL).returncode == 0:
            return
        # A fresh machine's lists of packages are empty or old.
        subprocess.run(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL, check=False)
    raise CannotInstall(f'"{how}" did not work; what it printed stands above.')


# ---- npm -------------------------------------------------------------------------------------------------------------

NODE_FOLDER = EDITORS / f"node-{NODE}"
CODE_SERVER_FOLDER = EDITORS / f"code-server-{CODE_SERVER}"


def whole(folder: Path) -> bool:
    """Installed to the end; a half-finished folder has no such mark."""
    return (folder / "installed").is_file()


def npm_install(folder: Path, package: str, environment: Mapping[str, str], *more: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Its output is long and only of interest when it fails.
    with (folder / "install.log").open("wb") as log:
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *more, package]
        ended = subprocess.run(command, cwd=folder, env=dict(environment), stdout=log, stderr=subprocess.STDOUT)
    if ended.returncode != 0:
        tail = (folder / "install.log").read_text("utf-8", "replace").splitlines()[-15:]
        raise CannotInstall("\n".join([*tail, f"npm could not install {package}; the whole log is {log.name}."]))
    (folder / "installed").write_text(package, "utf-8")


def node() -> None:
    npm_install(NODE_FOLDER, f"{node_package()}@{NODE}", os.environ)


def code_server() -> None:
    if set(str(EDITORS)) & set("\"'`$\\"):
        # Not ours to mend: its build writes paths into shell commands as they are.
        raise CannotInstall(f"The editor cannot be built below {EDITORS}: use a checkout without quotes in its path.")
    home = node_home()
    environment = {
        **os.environ,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        # The headers come with the binary: without this they would be downloaded.
        "npm_config_nodedir": str(home),
        "npm_config_unsafe_perm": "true",
        "JOBS": str(os.cpu_count() or 1),
    }
    npm_install(CODE_SERVER_FOLDER, f"code-server@{CODE_SERVER}", environment, "--foreground-scripts")


def node_home() -> Path:
    """The folder with `bin/node` and `include/`."""
    return NODE_FOLDER / "node_modules" / node_package()


def tell() -> None:
    """Where everything is, for whoever starts it: relative to this folder, so that checkouts can share it."""
    places = {
        "node": str((node_home() / "bin/node").relative_to(EDITORS)),
        "codeServer": f"{CODE_SERVER_FOLDER.name}/node_modules/code-server/out/node/entry.js",
        "browser": browser(),
    }
    (EDITORS / "installed.json").write_text(json.dumps(places, indent=2) + "\n", "utf-8")


def step(folder: Path, install: Callable[[], None]) -> None:
    if whole(folder):
        return
    say(f"installing {folder.name}")
    started = time.monotonic()
    install()
    say(f"installed {folder.name} in {time.monotonic() - started:.0f} s")


def main() -> int:
    if shutil.which("npm") is None:
        say("npm is needed and is not here: install Node.js 20 or newer, then run this again.")
        return 2
    try:
        system_packages()
        step(NODE_FOLDER, node)
        step(CODE_SERVER_FOLDER, code_server)
        tell()
    except CannotInstall as error:
        say(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

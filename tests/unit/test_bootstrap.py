"""scripts/bootstrap on machines that lack something: stand-ins for every program it may call, in a hostile path."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASICS = ("sh", "cksum", "cat", "rm", "awk", "sed", "env", "mkdir", "chmod", "cp")
PYTHON = """\
echo "python $*" >>"$LOG"
case "$*" in
    *ensurepip*) exit {ensurepip} ;;
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *pip*install*) exit {pip} ;;
    -V) echo "Python 3.11.9" ;;
    *version_info\\ *) exit {old} ;;
esac
"""
TMUX = 'echo "tmux {version}"'


@dataclass
class Machine:
    """A checkout in a path with spaces and quotes, and a PATH of stand-ins."""

    root: Path

    def __post_init__(self) -> None:
        self.checkout = self.root / 'it\'s "a" dir'
        (self.checkout / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/bootstrap", self.checkout / "scripts/bootstrap")
        shutil.copy(ROOT / "pyproject.toml", self.checkout / "pyproject.toml")
        self.path = self.root / "bin"
        self.path.mkdir(parents=True)
        for name in BASICS:
            (self.path / name).symlink_to(str(shutil.which(name)))
        self.log = self.root / "log"
        self.log.touch()
        self.has("id", "echo 1000")

    def has(self, name: str, script: str) -> None:
        program = self.path / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def has_python(self, name: str = "python3", *, ensurepip: int = 0, pip: int = 0, old: int = 0) -> None:
        self.has(name, PYTHON.format(ensurepip=ensurepip, pip=pip, old=old))

    def has_tmux(self, version: str = "3.3a") -> None:
        self.has("tmux", TMUX.format(version=version))

    def installs(self, package: str, name: str, script: str) -> str:
        """The body of a package manager that brings one program."""
        program = self.path / name
        write = f"printf '#!/bin/sh\\n%s\\n' '{script}' >'{program}'; chmod +x '{program}'"
        return f"""case "$*" in *install*{package}*) {write} ;; esac"""

    def bootstrap(
        self, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), "HOME": str(self.root), "LOG": str(self.log)}
        command = ["/bin/sh", str(self.checkout / "scripts/bootstrap")]
        return subprocess.run(
            command, env=environment, cwd="/", stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What it says when it cannot go on: 2, and one sentence at the end."""
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("setup: ")
    assert last.endswith(".")
    return last


def test_it_sets_up_once_and_is_done_the_second_time(machine: Machine) -> None:
    machine.has_python()
    machine.has_tmux()
    assert machine.bootstrap().returncode == 0
    assert sum("pip install" in call for call in machine.calls) == 1
    machine.log.write_text("")
    again = machine.bootstrap()
    assert (again.returncode, again.stderr) == (0, "")
    assert not any("pip" in call or "venv .venv" in call for call in machine.calls)


def test_other_dependencies_are_installed_into_the_same_environment(machine: Machine) -> None:
    machine.has_python()
    machine.has_tmux()
    machine.bootstrap()
    machine.log.write_text("")
    with (machine.checkout / "pyproject.toml").open("a") as file:
        file.write("# one more\n")
    assert machine.bootstrap().returncode == 0
    assert sum("pip install" in call for call in machine.calls) == 1
    assert not any("-m venv" in call for call in machine.calls)


def test_an_install_that_failed_is_tried_again(machine: Machine) -> None:
    machine.has_python(pip=1)
    machine.has_tmux()
    sentence(machine.bootstrap())
    shutil.rmtree(machine.checkout / ".venv")
    machine.has_python()
    assert machine.bootstrap().returncode == 0


def test_without_python_and_uv_it_says_so(machine: Machine) -> None:
    machine.has_tmux()
    said = sentence(machine.bootstrap())
    assert "Python 3.11" in said
    assert "uv" in said


def test_an_old_python_and_a_name_without_a_program_do_not_count(machine: Machine) -> None:
    machine.has_tmux()
    machine.has_python("python3", old=1)
    machine.has("python3.13", "echo 'no such version' >&2; exit 127")
    assert "Python 3.11" in sentence(machine.bootstrap())
    machine.has_python("python3.12")
    assert machine.bootstrap().returncode == 0


def test_uv_alone_is_enough(machine: Machine) -> None:
    machine.has_tmux()
    python = machine.root / "uv-python"
    python.write_text("#!/bin/sh\n" + PYTHON.format(ensurepip=1, pip=1, old=0))
    python.chmod(0o755)
    machine.has(
        "uv",
        f"""echo "uv $*" >>"$LOG"; [ "$1" != venv ] || {{ mkdir -p .venv/bin; cp '{python}' .venv/bin/python; }}""",
    )
    assert machine.bootstrap().returncode == 0
    assert any(call.startswith("uv pip install") for call in machine.calls)


def test_a_python_without_venv_says_what_to_install(machine: Machine) -> None:
    machine.has_tmux()
    machine.has_python(ensurepip=1)
    machine.has("apt-get", "exit 1")
    machine.has("sudo", 'echo "sudo $*" >>"$LOG"')
    assert "venv" in sentence(machine.bootstrap())
    assert not any(call.startswith("sudo") for call in machine.calls)


@pytest.mark.parametrize("version", ["3.1c", "3.2", "2.9a", "1.8"])
def test_a_tmux_that_is_too_old_is_refused(machine: Machine, version: str) -> None:
    machine.has_python()
    machine.has_tmux(version)
    said = sentence(machine.bootstrap())
    assert version in said
    assert "3.2a" in said


@pytest.mark.parametrize("version", ["3.2a", "3.3", "3.3a", "3.10", "next-3.5", "3.5-rc2", "4.0", "master"])
def test_a_tmux_that_is_new_enough_will_do(machine: Machine, version: str) -> None:
    machine.has_python()
    machine.has_tmux(version)
    assert machine.bootstrap().returncode == 0


def test_without_a_terminal_nothing_runs_sudo(machine: Machine) -> None:
    machine.has_python()
    machine.has("apt-get", 'echo "apt-get $*" >>"$LOG"')
    machine.has("sudo", 'echo "sudo $*" >>"$LOG"')
    assert "sudo apt-get install -y tmux" in sentence(machine.bootstrap())
    assert not any(call.startswith(("sudo", "apt-get")) for call in machine.calls)


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_at_a_terminal_sudo_is_asked_for(machine: Machine, answer: str, code: int) -> None:
    machine.has_python()
    machine.has("apt-get", machine.installs("tmux", "tmux", TMUX.format(version="3.4")))
    machine.has("sudo", 'echo "sudo $*" >>"$LOG"; exec "$@"')
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        done = machine.bootstrap(stdin=theirs, stderr=theirs)
        shown = ""
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code
    assert 'May I run "sudo apt-get install -y tmux"?' in shown
    assert any(call.startswith("sudo") for call in machine.calls) == (code == 0)


def test_root_installs_tmux_by_the_package_manager_also_with_stale_lists(machine: Machine) -> None:
    machine.has_python()
    machine.has("id", "echo 0")
    fresh = machine.root / "fresh"
    bring = machine.installs("tmux", "tmux", TMUX.format(version="3.4"))
    machine.has(
        "apt-get", f"""case "$*" in *update*) : >'{fresh}'; exit 0 ;; esac; [ -f '{fresh}' ] || exit 100; {bring}"""
    )
    done = machine.bootstrap()
    assert done.returncode == 0
    assert "apt-get install -y tmux" in done.stderr


def test_where_no_package_manager_is_known_it_says_what_is_needed(machine: Machine) -> None:
    machine.has_python()
    assert "tmux 3.2a" in sentence(machine.bootstrap())


def test_brew_needs_no_sudo(machine: Machine) -> None:
    machine.has_python()
    machine.has("brew", machine.installs("tmux", "tmux", TMUX.format(version="3.4")))
    assert machine.bootstrap().returncode == 0


def test_a_folder_that_no_environment_can_be_made_in_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.checkout = machine.checkout.rename(tmp_path / "a:b")
    machine.has_python()
    machine.has_tmux()
    assert "colon" in sentence(machine.bootstrap())

"""Pins: where a published program lies once it is installed, and how it gets there."""

from __future__ import annotations

import pytest

from tests.real_agents import install
from tests.real_agents.install import Pin, pins


def test_every_pin_is_of_one_version_and_stands_once() -> None:
    known = pins()
    assert len({pin.label for pin in known}) == len(known)
    for pin in known:
        assert pin.version[0].isdigit(), pin
        assert pin.program.is_relative_to(pin.folder)


def test_an_npm_package_is_installed_into_its_own_folder_at_its_version() -> None:
    pin = Pin("a", "@x/a", "1.2.3", "a", options=("--ignore-scripts",))
    [command] = install._npm(pin)
    assert command[-2:] == ["--ignore-scripts", "@x/a@1.2.3"]
    assert command[command.index("--prefix") + 1] == str(pin.folder)
    assert pin.program == pin.folder / "node_modules/.bin/a"


@pytest.mark.parametrize("uv", [True, False])
def test_a_pypi_package_gets_an_environment_of_its_own(uv: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.real_agents.install.shutil.which", lambda name: "/bin/uv" if uv else None)
    pin = Pin("a", "a-chat", "1.2.3", "a", source="pypi", python="3.12")
    make, fill = install._pypi(pin)
    assert make[0] == ("uv" if uv else "python3.12")
    assert "3.12" in " ".join(make)
    assert make[-1] == str(pin.folder / "venv")
    assert fill[-1] == "a-chat==1.2.3"
    assert str(pin.folder / "venv/bin/python") in fill
    assert pin.program == pin.folder / "venv/bin/a"

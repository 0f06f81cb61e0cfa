"""`politerm doctor AGENT` on the real program: it says which rules match, spends nothing, and keeps a screen."""

from __future__ import annotations

import json

import pytest

from politerm.agents.golden import GoldenScreen
from tests.model_server.server import ModelServer
from tests.real_agents.conftest import Found
from tests.real_agents.install import Pin
from tests.real_agents.rigs import Rig

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(180)]


def test_doctor_shows_what_the_rules_see_and_keeps_it(found: Found, rig: Rig, pin: Pin, model: ModelServer) -> None:
    house = found(pin)
    kept = house.root / "screen.txt"
    done = house.politerm("doctor", pin.name, "--trust", "--json", "--save-screen", str(kept))
    report = json.loads(done.stdout)["agent"]
    assert (report["ok"], report["state"]) == (True, "ready")
    assert report["rules"]
    assert model.asked() == [], "it spent something"
    screen = GoldenScreen.parse(kept.read_text("utf-8"))
    assert screen.expect == "ready"
    assert screen.rows

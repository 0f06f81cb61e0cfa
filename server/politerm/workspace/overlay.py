"""A folder of an agent's own as it shows to the agent in a run: links to what its user has there, beside a few names
that belong to the run alone. What the program writes through a link is its user's, as it would be without us.

It knows no agent; which folder and which names a profile says (`AgentProfile.overlay`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from politerm.agents.profile import AgentProfile
from politerm.private import private_folder


def lay_over(profile: AgentProfile, state_dir: Path, home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Make the profile's folders, or bring those that are there up to date. Answers the variables that name them."""
    told = {}
    for variable, overlay in profile.overlay.items():
        known = environment.get(variable) or overlay.of
        below = home / known.removeprefix("~/")
        folder = private_folder(state_dir / variable.lower())
        told[variable] = str(folder)
        if not below.is_dir() or below == folder:
            continue
        for entry in os.scandir(below):
            link = folder / entry.name
            if entry.name not in overlay.own and not os.path.lexists(link):
                link.symlink_to(entry.path)
    return told

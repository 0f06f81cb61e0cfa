"""What each agent CLI looks like, as data."""

from __future__ import annotations

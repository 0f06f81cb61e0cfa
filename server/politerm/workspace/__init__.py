"""What lies on disk around a run: the user's configuration and this workspace's state."""

from __future__ import annotations

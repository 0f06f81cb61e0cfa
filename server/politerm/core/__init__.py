"""Pure logic. Nothing in this folder knows the clock, the disk, the network, or asyncio."""

from __future__ import annotations

"""The front door: everything that knows the Language Server Protocol. It sees the engine only through engine/api.py."""

from __future__ import annotations

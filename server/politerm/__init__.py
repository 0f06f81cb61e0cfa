"""PoliTerm: two coding agents on one task, in any editor."""

from __future__ import annotations

__version__ = "0.1.0"

"""The tmux adapter: panes behind engine/ports.py's `Panes`.

The launcher is started as a file, never through this package: it must be there in milliseconds.
"""

from __future__ import annotations

from politerm.tmux.panes import TmuxPanes

__all__ = ["TmuxPanes"]

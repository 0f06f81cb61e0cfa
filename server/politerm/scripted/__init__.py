"""The built-in demonstration agents: two real programs that need no key, because no model is behind them.

They know nothing of PoliTerm but what any agent is told: the prompt, its key, and the file named by POLITERM_WITNESS.
So this package imports nothing from the others, and no other package imports it.
"""

from __future__ import annotations

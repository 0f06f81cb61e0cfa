"""Loads the server class when the first connection needs it, as fast as it goes.

The protocol's types are thousands of objects that live as long as the process. The collector would walk them over and
over while they are made, which is a tenth of the time to an answered `initialize`, and again in every later collection.
"""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from politerm.lsp.server import PoliTermServer


@functools.cache
def server_class() -> type[PoliTermServer]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        from politerm.lsp.converter import converter
        from politerm.lsp.server import PoliTermServer

        converter()
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
    return PoliTermServer

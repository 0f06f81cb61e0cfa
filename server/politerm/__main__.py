"""`python -m politerm`: the same as the console script."""

from __future__ import annotations

from politerm.cli import main

if __name__ == "__main__":
    main()

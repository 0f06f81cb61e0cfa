"""Every measurement, each part in a process of its own, as one table. `make bench`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from benchmarks.figures import Row, heading, line

PARTS = ("panes", "idle", "handover", "commands", "flood", "stalled", "eventlog", "serving", "reading")
LONGEST = 300
"""Seconds that one part may take."""


def run(part: str, *, quick: bool) -> list[Row]:
    """The rows of one part, printed as they come."""
    command = [sys.executable, "-m", f"benchmarks.{part}", "--json", *(["--quick"] if quick else [])]
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            row = Row(**json.loads(text))
            rows.append(row)
            print(line(row), flush=True)
        try:
            code = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            code = -1
    if code:
        rows.append(Row(f"{part} failed with {code}", "", met=False))
        print(line(rows[-1]), flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Ratios of PoliTerm to other ways, taken in one run.")
    parser.add_argument("--quick", action="store_true", help="shorter, with fewer samples")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    begun = time.monotonic()
    print(heading(), flush=True)
    rows = [row for part in given.parts or PARTS for row in run(part, quick=given.quick)]
    missed = [row for row in rows if row.met is False]
    goals = sum(row.met is not None for row in rows)
    print(f"\n{goals - len(missed)} of {goals} goals are met; {time.monotonic() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

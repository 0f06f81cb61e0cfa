"""Measurements of PoliTerm beside other ways to do the same, and the long run of random kills.

    python -m benchmarks [--quick]        everything that is measured, as one table (make bench)
    python -m benchmarks.panes [--quick]  one of its parts
    python -m benchmarks.soak             kills at every event, then at random, for hours (make soak)

Every part works in folders, homes and tmux servers of its own and takes both sides of a ratio in the same run. Nothing
here is a test: a machine that is busy makes every figure worse, and a ratio less so.
"""

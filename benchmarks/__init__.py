"""This engine beside its peers: same work, one run, ratios.

    python -m benchmarks            all works, three minutes; writes results/results.{json,md,png}
    python -m benchmarks --quick    five rounds, printed only
    python -m benchmarks --only mlp printed only, the works whose name contains "mlp"

Each engine runs in a process of its own, on one thread, with Python's garbage collector on as users have it: garbage of one
engine never slows another. The processes take short turns; each turn of an engine is divided by the turn of the reference
engine in the same round, and the median over the rounds is reported. Turns count processor time, not the clock on the wall:
whatever else the machine does cancels out.
Before anything is timed, all engines must agree on the numbers that they computed.
"""

"""The attack with a seed: mixed faults under two panes and two deciders, and a harm at every request of every command.

    python -m tests.chaos --minutes 10 --seed 7

`report.py` says what is counted, `judge.py` what is right.
"""

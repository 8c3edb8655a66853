"""Coverage: is a step recorded, and in this evidence? Pure: saved answers in, verdicts out.

A setting that was read is no proof, and a cell nobody could read is no gap: every verdict says
which of seven things it is, why, and for which span of time (docs/coverage.md).
"""

"""Coverage: is a step recorded, and in this evidence? Pure: saved answers in, verdicts out.

Reading a setting proves nothing, and a cell nobody could read is not a gap: every verdict says
which of the seven it is, why, and for which span of time (docs/coverage.md).
"""

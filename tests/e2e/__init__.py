"""The deployment itself: the synthesized stacks in an emulated AWS, from file to sealed evidence.

`make e2e` runs these; `make test` does not.
"""

"""The deployment itself: the synthesised stacks in an emulated AWS, from file to sealed evidence.

`make e2e` runs these; `make test` does not.
"""

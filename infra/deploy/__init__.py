"""One command for each cloud: what goes where, what has to be there first, and then deploying it.

`make deploy`, `make deploy-gcp`, `make deploy-azure`.
"""

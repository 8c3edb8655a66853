"""One command per cloud: show what goes where, check what has to exist first, then deploy.

`make deploy`, `make deploy-gcp`, `make deploy-azure`.
"""

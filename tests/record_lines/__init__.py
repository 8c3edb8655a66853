"""Which bytes records become, digested and stored: a change of mapping is made knowingly or not."""

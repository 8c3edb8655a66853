"""Read log files that people have locally, in any form: containers, encodings, pages, rows.

Nothing here is part of the evidence pipeline, and no deployed function contains it.
"""

"""Log files that people have locally, in whatever form: containers, encodings, pages, rows.

Only for reading: nothing here is part of the evidence pipeline, and no function contains it.
"""

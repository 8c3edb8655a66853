"""Log files people have on their own disk, in whatever form: containers, encodings, pages, rows.

For reading alone: nothing here is part of the evidence line, and no function carries it.
"""

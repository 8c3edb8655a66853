"""A timeline as a self-contained page: text, charts without scripting, and a table to filter."""

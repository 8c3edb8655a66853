"""A timeline as one page that loads nothing: words, charts without script, a table to filter."""

"""Evidence stores: a bucket or a directory, to write, to read, to copy."""

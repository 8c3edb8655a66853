"""Bytes to JSON slices, inflation, lenient decoding: how anything delivered is read."""

"""How anything delivered is read: JSON slices, decompression, lenient decoding."""

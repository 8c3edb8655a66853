"""One module at a time, mirroring the package."""

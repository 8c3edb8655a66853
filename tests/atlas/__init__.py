"""Makes the atlas of operations from pinned sources: `make atlas` (docs/catalog-atlas.md)."""

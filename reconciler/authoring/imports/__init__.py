"""Exports of shops: a reader for each format, and what they say of each garment as values."""

"""Keeps the Ledger between runs, in a file or a git ref, and lets one apply at a time hold it."""

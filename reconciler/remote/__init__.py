"""The only code that knows URLs and the key."""

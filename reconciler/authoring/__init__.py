"""All that writes catalogue files: pull, edits in place, and the canonical form."""

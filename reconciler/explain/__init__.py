"""What every code means: one registry, which `reconciler explain` and the reports read."""

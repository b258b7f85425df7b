"""The catalogue: YAML files on one side, Products with their Locations on the other."""

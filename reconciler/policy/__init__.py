"""Rules about plans, built in and the shop's own; and the registry of all rules.

The rules about catalogues are in `linting/`, below planning, since what reads YAML needs them.
"""

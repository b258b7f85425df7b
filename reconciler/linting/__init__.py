"""Rules about catalogues: one small file for each that is built in, all in one registry.

Each rule has a level that settings may change. A rule only speaks of what is legal; what is a fault
in any catalogue is the reader's business. The rules about plans are in `policy/`.
"""

"""Lint rules: one small file each, all in one registry, each with a level that settings may change.

A rule only ever speaks of what is legal. What is a fault in any catalogue is the reader's business.
"""

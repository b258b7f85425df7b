"""Plans again and again: metrics, pages and messages about stores, and drift that heals.

What needs the packages of the extra `watch` imports them when it is used.
"""

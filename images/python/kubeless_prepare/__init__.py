"""Fetches, checks and unpacks a function's source before its runtime starts.

It runs as an init container, whatever the function's language, so it needs
nothing but Python's standard library. Everything that it is given is taken for
hostile: addresses, archives, names, sizes.
"""

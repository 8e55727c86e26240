"""Joins what is wanted with what is there: one file per kind, and what they share."""

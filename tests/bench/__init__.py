"""Measurements. They print what they saw; nothing here passes or fails."""

"""Why a call did not go well."""

from __future__ import annotations


class CallError(Exception):
    """One line for a person: what was called, and what came back."""

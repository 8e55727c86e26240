"""The one exception that reaches the user as a message instead of a traceback."""


class ClusterError(Exception):
    """What was found, what was expected and what to do, in plain words."""

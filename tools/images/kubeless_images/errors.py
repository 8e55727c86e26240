"""The one error of this tool: a message for the person at the terminal."""


class ImagesError(Exception):
    """Something the user can act on; the message says what to do."""

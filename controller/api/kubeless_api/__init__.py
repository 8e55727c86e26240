"""What users of Kubeless write, parsed; and every name that its parts share.

Nothing in here does I/O or depends on anything but the standard library, so
that the controller, the command line and the triggers can all stand on it.
"""

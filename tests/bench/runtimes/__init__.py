"""The runtimes side by side with the servers below them and with others of their kind."""

"""Pure functions from a Function to the objects that run it. No I/O, no clock, no chance."""

"""Pure functions from what lives in the cluster to what a Function's status says. No I/O, no clock."""

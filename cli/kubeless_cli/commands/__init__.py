"""One module per command: it parses, calls the pure parts and the cluster, prints."""

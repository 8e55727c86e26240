"""What the command line does with Kafka, inside the cluster: one request on standard input, answers on
standard output."""

"""The consumer that a KafkaTrigger runs: records to functions, at least once."""

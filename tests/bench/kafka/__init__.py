"""The Kafka trigger's consumer, by numbers."""

"""The relay: carries due tasks from the database to RabbitMQ."""

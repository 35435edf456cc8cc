"""The worker: takes deliveries from RabbitMQ, runs each task in a child process, sends its events."""

"""The sink: brings the workers' events home, through GraphQL."""

"""The Django project: settings, URLs, the GraphQL root."""

"""What the GraphQL schemas of all apps share."""

"""Users, sign-in, API tokens and what each may do."""

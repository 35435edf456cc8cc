"""The built-in kinds; a module of your own, named in MILLRACE_HANDLERS, adds more."""

"""Who did what, when, from where: written beside what is done, and never changed."""

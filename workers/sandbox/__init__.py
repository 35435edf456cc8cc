"""What code that a person wrote in the browser runs in: one process per task, with nothing but Python in reach.

command.py and probe.py are the worker's side, template.py and what it imports the other one.
"""

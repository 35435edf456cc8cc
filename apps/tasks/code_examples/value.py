# Value and output
#
# As in a notebook's cell: the value of the last expression is the task's value, what
# is printed is its output. A number stands in the table; lists, dicts and texts are
# shown on the task's page.
import sys

numbers = [n * n for n in range(1, 11)]
for n in numbers:
    print("square", n)
print("This goes to stderr.", file=sys.stderr)

sum(numbers)

"""What templates of tasks need to show numbers, JSON and times."""

"""What people see and what is stored."""

"""What goes into a gradebook: points, what being late costs, and the LMS's own file."""

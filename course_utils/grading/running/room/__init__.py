"""What is shown of the grader in the kernel's room, and runs there: it may import no sibling."""

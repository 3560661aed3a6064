"""What is read in a browser: a learner's feedback, the class report."""

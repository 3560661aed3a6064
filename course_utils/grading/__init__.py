"""Release exercises and grade hand-ins; the key never meets a learner's code."""

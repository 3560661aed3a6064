"""Release exercises, check them and grade hand-ins, without the key ever meeting a learner's code."""

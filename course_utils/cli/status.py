"""The exit statuses of `course`."""

OK, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130

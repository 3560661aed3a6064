"""python -m course_utils.cli, where the command `course` is not on the path."""

import sys

from course_utils.cli.main import main

sys.exit(main())

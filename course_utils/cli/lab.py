"""`course lab`: open JupyterLab on the start page."""

import argparse
import os
from typing import TYPE_CHECKING

from course_utils.cli.place import course_folder
from course_utils.cli.status import OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands

PROMPT_CONNECTION = "course_utils.lab_websocket.PromptConnection"
START_PAGE = "notebooks/00_start_here.ipynb"


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the start page",
        description="Open JupyterLab on the start page. Other arguments go to JupyterLab, "
        "e.g. course lab --no-browser.",
        allow_abbrev=False,
    )
    lab.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Hand over to JupyterLab."""
    from jupyterlab.labapp import LabApp

    from course_utils.notebooks import ONE_BLAS_THREAD

    course = course_folder()
    if not (course / START_PAGE).is_file():
        raise ValueError(f"{course} has no {START_PAGE}. Get a fresh copy of the course.")
    arguments = [
        f"--ServerApp.root_dir={course}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        f"--ServerApp.kernel_websocket_connection_class={PROMPT_CONNECTION}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # a container's only user; JupyterLab would refuse
    for variable, one in ONE_BLAS_THREAD.items():
        os.environ.setdefault(variable, one)  # the kernels inherit it
    LabApp.launch_instance(argv=[*arguments, *options.rest])
    return OK

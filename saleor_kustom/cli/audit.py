"""Who does it, and why: kept in the history with everything that a command changes."""

import getpass
import os
from typing import Annotated

import typer


def os_user() -> str:
    """Return the name of whoever runs the command; in a container it may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


Who = Annotated[
    str, typer.Option(help="Kept in the history.", default_factory=os_user, show_default="you")
]
Why = Annotated[str, typer.Option(help="Kept in the history; a person reads it later.")]

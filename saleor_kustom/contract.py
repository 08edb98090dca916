"""Our contract with Saleor as files: manifest.json and webhooks/ at the top of the repository."""

from importlib.resources import files
from pathlib import Path

_INSTALLED = files("saleor_kustom") / "_contract"
_CHECKOUT = Path(__file__).parent.parent


def read_text(name: str) -> str:
    """Read a contract file by its path from the top of the repository.

    A wheel carries these files inside the package; a checkout has them beside it.
    Raises FileNotFoundError for a name that is neither.
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return (root / name).read_text(encoding="utf-8")

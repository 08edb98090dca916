"""Run the command line as `python -m saleor_kustom`."""

from saleor_kustom.cli import main

main()

"""Claim a capture, do the one thing it waits for, record it."""

from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.loop import Worker

__all__ = ["Parts", "Worker"]

"""What was found and done: as text, JSON, and one HTML page."""

from __future__ import annotations

from labelnext.report.report import Report

__all__ = ["Report"]

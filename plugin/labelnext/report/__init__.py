"""Reports of what a run found and did: text, JSON and one HTML page."""

from __future__ import annotations

from labelnext.report.report import Report

__all__ = ["Report"]

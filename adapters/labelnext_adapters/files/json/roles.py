"""What columns of a table hold by their names."""

from __future__ import annotations

from collections.abc import Iterable


class Roles:
    """Says of each column what it is read as; here nothing is known of any, and all are read."""

    def is_text(self, name: str) -> bool:
        """Whether a column is of ids or names, so that its values stay text."""
        return False

    def id_among(self, names: Iterable[str]) -> str | None:
        """The column of ids, which are no floats; None if there is none."""
        return None

    def is_read(self, name: str) -> bool:
        """Whether a value of another kind than the others makes a record of no use."""
        return True

    def may_lack(self, name: str) -> bool:
        """Whether an item does without a text here."""
        return False

    def is_said(self, name: str) -> bool:
        """Whether a column is of labels or groups, most of which must be of use."""
        return False

    def is_value(self, name: str) -> bool:
        """Whether values may be of any kind."""
        return False

    def has_rule(self, name: str) -> bool:
        """Whether what is no number is told where the column is read, with its item."""
        return False


UNKNOWN = Roles()

"""Widget sessions: what a partner binds for one customer, and the order that comes of it."""

from __future__ import annotations

from pathlib import Path

from app.db.migrations.script import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables from the plain SQL beside this file."""
    run_script(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """What customers have ordered in sessions is not forgotten."""
    raise NotImplementedError("restore a backup instead")

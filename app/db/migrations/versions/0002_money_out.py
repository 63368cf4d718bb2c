"""Money out: external accounts, payouts and batches, deposits, top-ups, and balances that can be locked."""

from __future__ import annotations

from pathlib import Path

from app.db.migrations.script import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables from the plain SQL beside this file."""
    run_script(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """Payouts that were made cannot be unmade."""
    raise NotImplementedError("restore a backup instead")

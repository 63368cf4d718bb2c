"""What a signer checks: the seal under which somebody agreed to each send."""

from __future__ import annotations

from pathlib import Path

from app.db.migrations.script import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables from the plain SQL beside this file."""
    run_script(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """What was recorded is not forgotten."""
    raise NotImplementedError("restore a backup instead")

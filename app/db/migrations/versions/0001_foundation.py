"""The first schema: partners, quotes, orders, payments, the ledger with its guards, the wallet, webhooks and jobs."""

from __future__ import annotations

from pathlib import Path

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from app.db.migrations.script import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create our tables from the plain SQL beside this file, and the job engine's from its own installer."""
    run_script(Path(__file__).with_suffix(".sql").read_text())
    run_script(QueryBuilderEnvironment().build_install_query())


def downgrade() -> None:
    """There is nothing before the first schema."""
    raise NotImplementedError("restore a backup instead")

"""The auditor: every invariant of the books, restated as SQL and checked without a line of the code that writes them.

    report = await audit(db, far_side, wait_seconds=30.0, grace=timedelta(minutes=10))
    report.clean                      # True when every count is zero: the command's exit status
    print(report.text())              # one line for each invariant
    report.document()                 # the same as plain data, for `--json`

`db` is the Database, `far_side` an `app.ports.records.FarSide` (wiring builds it; None checks the inside only).
"""

from app.audit.run import audit

__all__ = ["audit"]

"""A bank's file, told by its namespace: a message and a version that we know, or nothing at all."""

from __future__ import annotations

from app.ports.bank_files import BankReport, FileUnreadable
from providers.sepa import statements, statuses
from providers.sepa.xml import Part, parse

_PREFIX = "urn:iso:std:iso:20022:tech:xsd:"


def read_report(data: bytes, iban: str) -> BankReport:
    """Read pain.002.001.03 or .10, or camt.053.001.02 or .08, for the account with this IBAN; raises FileUnreadable."""
    root = parse(data)
    namespace, _, name = root.tag.removeprefix("{").rpartition("}")
    version = namespace.removeprefix(_PREFIX)
    if name != "Document" or version == namespace:
        raise FileUnreadable("not an ISO 20022 document")
    document = Part(root, namespace, "Document")
    if version in statuses.VERSIONS:
        return statuses.read_statuses(document)
    if version in statements.VERSIONS:
        return statements.read_statement(document, iban)
    raise FileUnreadable("not a message and version that we read")

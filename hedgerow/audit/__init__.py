"""The audit trail: what admins did, written by the database, and chained."""

from hedgerow.audit.trail import Event, Filters, as_json, count_entries, select_entries

__all__ = ["Event", "Filters", "as_json", "count_entries", "select_entries"]

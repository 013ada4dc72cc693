"""Read, verify and prune the audit trail; works as the owner.

Examples:
  hedgerow audit list --since 7d
  hedgerow audit verify
  hedgerow audit prune --older-than 365d --reason "kept for one year"
"""

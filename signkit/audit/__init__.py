"""The audit log as data: entries, the RFC 6962 Merkle tree over them, signed checkpoints and receipts. Appending is the
store's job."""

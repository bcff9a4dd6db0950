"""The audit log as data: entries and the RFC 6962 Merkle tree over them. Appending is the store's job."""

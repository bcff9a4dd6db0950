"""Where keys, versions, aliases, certificates and the audit log are kept: one kind of store, one file."""

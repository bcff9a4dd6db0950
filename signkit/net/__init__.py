"""The network, one file for each protocol. Nothing here is used unless the caller asks for it."""

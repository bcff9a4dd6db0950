"""Renderers: one result, many readers. One file each; none of them judges anything."""

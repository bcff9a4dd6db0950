"""The only package that knows how bytes become structures: DER slicing, CMS schema, templates, object identifiers."""

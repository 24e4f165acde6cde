"""Resource ids and scopes, registry names, GUIDs: text in, text out."""

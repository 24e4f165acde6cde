"""The directory: Microsoft Graph."""

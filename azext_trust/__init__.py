"""aztrust: content trust of Azure Container Registry, on a local Azure or the real one."""

__version__ = "0.1.0"

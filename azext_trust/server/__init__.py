"""The local Azure: sign-in, Graph, ARM, registry and Notary behind one gate and one store."""

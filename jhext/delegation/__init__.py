"""The provider's token in the pod: a file that is kept current, and git told where it is."""

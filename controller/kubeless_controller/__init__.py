"""The controller: Functions in, ordinary Kubernetes objects out."""

"""The cluster: verbs over plain JSON objects, informer, work queue.

Objects are the dicts that the API server sends and takes; nothing in here
knows what a Function is.
"""

"""A real Kubernetes for machines without one.

Model: an *instance* is one cluster with a state folder and a number. Its node
lives in a network namespace and a mount namespace of its own, and every
process of it in one cgroup tree; the host gets one bridge, two routes, and a
few firewall rules marked with the instance's name. So no port, chain, mount
or folder is shared with a cluster the user already runs, and taking the
instance away means emptying one cgroup tree and removing those few things.
Nothing needed for taking it away is known only to files that a crash can lose:
the names follow from the instance number.

Only the standard library is used: the tool runs before any environment exists.
"""

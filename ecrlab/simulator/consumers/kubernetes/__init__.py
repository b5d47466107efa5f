"""A Kubernetes cluster of one node, as far as images matter: pods and deployments that pull, and run nothing.

    kubectl ──► face ──► cluster ──► deployments ──► pods ──► kubelet (words)
                                                      └─────► pulling: as the role of the node

Kept in memory, one cluster for each world: like AWS's other services it begins empty with every start of the lab, and
`lab.restore()` leaves it as it is.
"""

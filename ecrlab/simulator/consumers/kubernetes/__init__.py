"""A Kubernetes cluster of one node, as far as images matter: pods and deployments that pull, and run nothing.

    kubectl ──► face ──► cluster ──► deployments ──► pods ──► kubelet   the words of events and states
                          objects    documents        └─────► node      pulls as its role, keeps images
                          manifests  answers

Kept in memory, one cluster for each world: like AWS's other services it begins empty with every start of the lab, and
`lab.restore()` leaves it as it is.
"""

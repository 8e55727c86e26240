"""A gateway for the cluster: Contour, which serves Ingress and Gateway API, and its Envoy.

Everything lives in the namespace `projectcontour`, as in Contour's own examples:
    contour    a Deployment: reads Ingresses and routes, tells Envoy
    envoy      a DaemonSet: carries the traffic, at ports 80 and 443 of the node's address
    kubeless   a Gateway of the class `contour` with one HTTP and one HTTPS listener, which
               take routes of all namespaces; Ingresses come in by the class `contour`
One listener of each protocol and not more: Contour serves Ingresses at *the* listener of
a protocol and leaves them out where there are two. The HTTPS listener has a certificate
of an authority of the instance's own; an Ingress' `tls` brings its own secret.
"""

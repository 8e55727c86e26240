"""What the API server serves, and under which path."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Resource:
    """One kind of object and where its collection lives.

    ``group`` is empty for the core group; ``plural`` is the name in paths.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``apiVersion`` as manifests write it: ``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """The path of a collection, an object or one of its subresources.

        Without a namespace, the path of a namespaced resource is that of all
        namespaces together, which exists for collections only.
        """
        for part in (namespace, name):
            # Never leads to another resource, whatever a user typed as a name.
            if part in (".", ".."):
                raise ValueError(f"{part!r} is no name")
        parts = ["/apis/" + self.group if self.group else "/api", self.version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        elif self.namespaced and name:
            raise ValueError(f"{self.kind} {name!r} needs a namespace")
        parts.append(self.plural)
        # A pod's port is part of its name where the API server is a proxy: <pod>:<port>.
        parts += [quote(name, safe=":")] if name else []
        parts += [subresource] if subresource else []
        return "/".join(parts)


AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")
CRONJOBS = Resource("batch", "v1", "cronjobs", "CronJob")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
EVENTS = Resource("", "v1", "events", "Event")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
MIDDLEWARES = Resource("traefik.io", "v1alpha1", "middlewares", "Middleware")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICES = Resource("", "v1", "services", "Service")

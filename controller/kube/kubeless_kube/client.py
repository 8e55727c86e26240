"""Verbs over plain JSON objects.

The official client finds the cluster, keeps the credentials fresh and speaks
TLS; the objects stay the dicts that travel on the wire. Turning them into the
client's model classes costs ten times the time of reading the JSON, and loses
fields that are newer than the models.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, kube_config
from kubernetes.config.incluster_config import load_incluster_config

from kubeless_kube.errors import (
    ConfigError,
    Fenced,
    Unreachable,
    error_from_response,
    error_from_status,
)
from kubeless_kube.resources import PODS, Resource

if TYPE_CHECKING:
    from kubeless_kube.attachment import Attachment

Object = dict[str, Any]
Response = urllib3.BaseHTTPResponse

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA_WATCH = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
# The server sends a bookmark about once a minute: a longer silence is a dead connection.
WATCH_SILENCE_SECONDS = 90.0
# Errors come back as answers, 429 among them: who asked decides when to ask again.
CONNECT_ONCE_MORE = urllib3.Retry(
    connect=1, read=False, redirect=False, status=False, other=0, respect_retry_after_header=False
)
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Client:
    """One cluster, as one user.

    * Safe to use from several threads; connections are kept and shared.
    * Nothing is retried but connecting: who calls knows whether again is safe.
    * HTTP errors come as ApiError, missing answers as Unreachable.
    * ``fence`` is asked right before each request that could change something; when it says
      no, nothing is sent and Fenced is raised.

    ``timeout`` is the longest silence in seconds before an answer is given up; ``namespace`` is the one of the kubeconfig's context, or of the pod.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        namespace: str = "default",
        user_agent: str = "kubeless",
        connections: int = 16,
        timeout: float = READ_SECONDS,
        on_request: Callable[[str, int], None] | None = None,
        fence: Callable[[], bool] | None = None,
    ) -> None:
        configuration.connection_pool_maxsize = connections
        configuration.keep_alive = True
        if not configuration.verify_ssl:
            # The kubeconfig asks for this; a warning per request tells its owner nothing new.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.namespace = namespace
        self.host: str = configuration.host
        self._configuration = configuration
        self._pool: urllib3.PoolManager = RESTClientObject(configuration).pool_manager
        self._user_agent = user_agent
        self._on_request = on_request
        self._fence = fence
        self._timeout = timeout

    @classmethod
    def from_kubeconfig(
        cls, path: str | None = None, context: str | None = None, **options: Any
    ) -> Client:
        """Use a kubeconfig: ``path``, else $KUBECONFIG, else ~/.kube/config, else the pod's own account.

        Raises ConfigError, saying which file was looked at.
        """
        source = path or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
        files = [Path(part).expanduser() for part in source.split(os.pathsep) if part]
        if not any(file.is_file() for file in files):
            if path is None and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                return cls.in_cluster(**options)
            raise ConfigError(
                f"no kubeconfig at {source}; set KUBECONFIG or pass the path of one that exists"
            )
        configuration = Configuration()
        # Credentials given inline end in files; they go to the temporary folder and are removed at exit.
        try:
            loader = kube_config._get_kube_config_loader(
                filename=source, active_context=context, persist_config=False, temp_file_path=None
            )
            loader.load_and_set(configuration)
            namespace = loader._current_context["context"].safe_get("namespace") or "default"
        except ConfigException as error:
            raise ConfigError(f"the kubeconfig {source} cannot be used: {error}") from error
        except yaml.YAMLError as error:
            where = " ".join(str(error).split())
            raise ConfigError(f"the kubeconfig {source} is not YAML: {where}") from error
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"the kubeconfig {source} cannot be read: {error}") from error
        return cls(configuration, namespace=namespace, **options)

    @classmethod
    def in_cluster(cls, **options: Any) -> Client:
        """Use the service account of the pod that this runs in. Raises ConfigError outside of one."""
        configuration = Configuration()
        try:
            load_incluster_config(client_configuration=configuration)
            namespace = SERVICE_ACCOUNT_NAMESPACE.read_text().strip()
        except (ConfigException, OSError) as error:
            raise ConfigError(f"this is not a pod with a service account: {error}") from error
        return cls(configuration, namespace=namespace, **options)

    def get(
        self, resource: Resource, namespace: str | None, name: str, *, subresource: str = ""
    ) -> Object:
        """Read one object. Raises NotFound."""
        return self._json("GET", resource.path(namespace, name, subresource))

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> Object:
        """Read a collection as its List object, all pages joined.

        ``limit`` is the size of a page, 0 for all at once; ``resource_version="0"``
        lets the server answer from its cache.
        """
        query = {
            "labelSelector": labels,
            "fieldSelector": fields,
            "limit": str(limit) if limit else "",
            "resourceVersion": resource_version,
        }
        accept = METADATA_LIST if metadata_only else ""
        path = resource.path(namespace)
        result = self._json("GET", path, query, accept=accept)
        items = result["items"] = result.get("items") or []
        token = result["metadata"].get("continue")
        while token:
            query.update({"continue": token, "resourceVersion": ""})
            page = self._json("GET", path, query, accept=accept)
            items.extend(page.get("items") or [])
            token = page["metadata"].get("continue")
        return result

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
        metadata_only: bool = False,
    ) -> Iterator[Object]:
        """Yield the events ``{type, object}`` after ``resource_version``, bookmarks included.

        Ends when the server closes the watch (at the latest after ``timeout``
        seconds, and some more by chance so that watches do not end together).
        Raises Gone when the version is too old, Unreachable after a silence.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "labelSelector": labels,
            "fieldSelector": fields,
            "timeoutSeconds": str(int(timeout * random.uniform(1.0, 1.5))),
        }
        response = self.request(
            "GET",
            resource.path(namespace),
            query=query,
            headers={"Accept": METADATA_WATCH} if metadata_only else {},
            timeout=WATCH_SILENCE_SECONDS,
            stream=True,
        )
        try:
            if response.status != 200:
                raise error_from_response(
                    response.status, response.reason or "", response.read() or b""
                )
            for line in _lines(response):
                event = json.loads(line)
                if event.get("type") == "ERROR":
                    raise error_from_status(event.get("object") or {})
                yield event
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"the watch of {resource.plural} broke: {error}") from error
        finally:
            # Not drained: the rest of an endless answer never comes.
            response.close()

    def create(
        self, resource: Resource, obj: Object, *, manager: str = "", dry_run: bool = False
    ) -> Object:
        """Make an object. Raises Conflict when one of that name is there already."""
        return self._json(
            "POST",
            resource.path(_namespace(obj)),
            {"fieldManager": manager, "dryRun": "All" if dry_run else ""},
            obj,
        )

    def apply(
        self,
        resource: Resource,
        obj: Object,
        *,
        manager: str,
        force: bool = True,
        dry_run: bool = False,
    ) -> Object:
        """Server-side apply: what ``manager`` applied before and leaves out now is removed."""
        return self._json(
            "PATCH",
            resource.path(_namespace(obj), obj["metadata"]["name"]),
            {
                "fieldManager": manager,
                "force": "true" if force else "",
                "dryRun": "All" if dry_run else "",
            },
            obj,
            content_type="application/apply-patch+yaml",  # JSON is YAML
        )

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Object | Sequence[Object],
        *,
        kind: Literal["merge", "json"] = "merge",
        subresource: str = "",
        manager: str = "",
    ) -> Object:
        """Change part of an object by a merge patch (a dict) or a JSON patch (a list of operations)."""
        return self._json(
            "PATCH",
            resource.path(namespace, name, subresource),
            {"fieldManager": manager},
            body,
            content_type=PATCH_TYPES[kind],
        )

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        uid: str = "",
        resource_version: str = "",
    ) -> Object:
        """Delete an object, if it still has that ``uid`` and ``resource_version``. Raises NotFound, Conflict."""
        preconditions = {
            key: value
            for key, value in (("uid", uid), ("resourceVersion", resource_version))
            if value
        }
        options: Object = {"propagationPolicy": propagation}
        if preconditions:
            options["preconditions"] = preconditions
        return self._json("DELETE", resource.path(namespace, name), body=options)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stream: bool = False,
    ) -> Response:
        """Send any request and return the answer whatever its status; raises Unreachable or Fenced.

        ``query`` entries with an empty value are left out. With ``stream`` the
        body is left unread. ``timeout`` is the longest silence in seconds.
        """
        given = {key: value for key, value in (query or {}).items() if value}
        url = self.host + path + ("?" + urlencode(given) if given else "")
        sent = {"User-Agent": self._user_agent, "Accept": "application/json"}
        sent.update(headers or {})
        authorization = self._authorization()
        if authorization:
            sent["Authorization"] = authorization
        if method != "GET" and self._fence is not None and not self._fence():
            raise Fenced(f"{method} {path}: not the leader any more")
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=sent,
                preload_content=not stream,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout or self._timeout),
                retries=CONNECT_ONCE_MORE,
            )
        except urllib3.exceptions.MaxRetryError as error:
            raise Unreachable(f"{self.host} cannot be reached: {error.reason}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self.host} did not answer: {error}") from error
        if self._on_request is not None:
            self._on_request("WATCH" if (query or {}).get("watch") else method, response.status)
        return response

    def attach(self, namespace: str, pod: str, container: str) -> Attachment:
        """Connect to the input and output of a pod's container that runs. Raises ApiError, Unreachable."""
        # Its package takes time to import, and few ever attach.
        from kubeless_kube.attachment import connect

        query = {"container": container, "stdin": "true", "stdout": "true", "stderr": "true"}
        url = self.host + PODS.path(namespace, pod, "attach") + "?" + urlencode(query)
        return connect(self._configuration, url, self._authorization())

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _authorization(self) -> str:
        # The official client refreshes expiring tokens whenever this is read.
        token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        basic = self._configuration.get_basic_auth_token() if self._configuration.username else ""
        return str(token or basic or "")

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "",
    ) -> Object:
        headers = {"Accept": accept} if accept else {}
        data = None
        if body is not None:
            data = _encode(body)
            headers["Content-Type"] = content_type
        response = self.request(method, path, query=query, body=data, headers=headers)
        if response.status >= 400:
            raise error_from_response(response.status, response.reason or "", response.data)
        result: Object = json.loads(response.data)
        return result


def _encode(body: Any) -> bytes:
    """JSON that also is YAML with the same content, as which the API server reads what is applied.

    YAML knows no surrogate pairs, so characters are written as themselves; and a few that JSON takes
    as themselves are control characters to YAML, so those are written as escapes.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", text).encode()


_ESCAPED = re.compile("[\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def _namespace(obj: Object) -> str | None:
    namespace: str | None = obj["metadata"].get("namespace")
    return namespace


def _lines(response: Response) -> Iterator[bytes]:
    """Split a streamed body into lines as they come, holding at most one unfinished line."""
    rest = b""
    for chunk in response.stream(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line)
    if rest.strip():
        yield rest

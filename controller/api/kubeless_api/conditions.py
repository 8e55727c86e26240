"""Types and reasons of the conditions of Functions and triggers.

Three conditions say where a Function stands, a fourth, Autoscaled, whether its autoscaler works, and a fifth,
Scheduled or Subscribed, whether its schedule or topic calls it. A trigger has Accepted and Ready.

* Accepted: its spec can be built. False needs a change of the Function, or of
  what it names; nothing will happen by itself.
* Available: some pods of it serve, of whatever generation.
* Ready: the current generation serves. When it does not, the reason says
  whether to wait (``is_waiting``) or what to fix.
"""

from __future__ import annotations

ACCEPTED = "Accepted"
AVAILABLE = "Available"
READY = "Ready"
# Only while the Function has an autoscaler.
AUTOSCALED = "Autoscaled"
# Only while the Function has the type Scheduled; as a reason, that of a trigger that is Ready.
SCHEDULED = "Scheduled"
# Only while the Function has the type PubSub.
SUBSCRIBED = "Subscribed"

# Accepted
VALID = "Valid"
UNKNOWN_RUNTIME = "UnknownRuntime"
INVALID_HANDLER = "InvalidHandler"
INVALID_SPEC = "InvalidSpec"
CHECKSUM_MISMATCH = "ChecksumMismatch"
SOURCE_TOO_LARGE = "SourceTooLarge"
UNSUPPORTED = "Unsupported"
CONFLICT = "Conflict"
REJECTED = "Rejected"
INTERNAL_ERROR = "InternalError"
QUOTA_EXCEEDED = "QuotaExceeded"

# Available and Ready
SERVING = "Serving"
SCALED_TO_ZERO = "ScaledToZero"
NO_PODS_READY = "NoPodsReady"
PROGRESSING = "Progressing"
SOURCE_UNAVAILABLE = "SourceUnavailable"
SOURCE_INVALID = "SourceInvalid"
DEPENDENCIES_FAILED = "DependenciesFailed"
LOAD_FAILED = "LoadFailed"
CRASH_LOOPING = "CrashLooping"
OUT_OF_MEMORY = "OutOfMemory"
IMAGE_PULL_FAILED = "ImagePullFailed"
UNSCHEDULABLE = "Unschedulable"
CONTAINER_CONFIG_ERROR = "ContainerConfigError"
PODS_FORBIDDEN = "PodsForbidden"
PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"

# Autoscaled
SCALING = "Scaling"
UNABLE_TO_SCALE = "UnableToScale"
METRICS_UNAVAILABLE = "MetricsUnavailable"

# Of triggers
PROGRAMMED = "Programmed"
FUNCTION_NOT_FOUND = "FunctionNotFound"

# Accepted, of CronJobTriggers
FUNCTION_INVALID = "FunctionInvalid"
INVALID_SCHEDULE = "InvalidSchedule"
INVALID_TIME_ZONE = "InvalidTimeZone"
# Ready
SUSPENDED = "Suspended"

# Accepted, of Kafka triggers
NO_KAFKA = "NoKafka"
CREDENTIALS_MISSING = "CredentialsMissing"
NOTHING_SELECTED = "NothingSelected"
# Ready; beside these, the consumers' own reasons, which are theirs to choose.
CONSUMING = "Consuming"
PAUSED = "Paused"
NO_FUNCTIONS = "NoFunctions"
SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason
CONSUMER_UNREADABLE = "ConsumerUnreadable"
TOPIC_NOT_FOUND = "TopicNotFound"
BROKER_UNREACHABLE = "BrokerUnreachable"
FUNCTION_UNAVAILABLE = "FunctionUnavailable"

# Accepted, of HTTP triggers
INVALID_HOST = "InvalidHost"
INVALID_PATH = "InvalidPath"
ROUTE_TAKEN = "RouteTaken"
TLS_BELONGS_TO_GATEWAY = "TLSBelongsToGateway"
UNSUPPORTED_BY_GATEWAY = "UnsupportedByGateway"
GATEWAY_API_MISSING = "GatewayAPIMissing"
# Programmed
ROUTED = "Routed"
NOT_ACCEPTED = "NotAccepted"
PENDING = "Pending"
REFUSED_BY_GATEWAY = "RefusedByGateway"

# Of an event only
RUNTIME_ALIAS = "RuntimeAlias"
FIRING_FAILED = "FiringFailed"

# Unschedulable: a cluster that scales itself adds a node. FunctionNotFound: triggers may come before their function.
# The last four: the consumers go on by themselves as soon as what they wait for is there.
_WAITING = frozenset(
    {PROGRESSING, NO_PODS_READY, UNSCHEDULABLE, PENDING, FUNCTION_NOT_FOUND}
    | {NO_FUNCTIONS, TOPIC_NOT_FOUND, BROKER_UNREACHABLE, FUNCTION_UNAVAILABLE}
)


def is_waiting(reason: str) -> bool:
    """Say whether a False condition with this reason may become True by itself, soon."""
    return reason in _WAITING

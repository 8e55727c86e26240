"""The API server's no, as what a condition says."""

from __future__ import annotations

from kubeless_api import conditions
from kubeless_controller.observed.verdict import Verdict
from kubeless_kube.errors import ApiError, Conflict, Forbidden


def refusal(error: ApiError) -> Verdict | None:
    """What to tell whoever wrote the object; None when trying again is all there is to do."""
    if isinstance(error, Conflict):
        return None
    if isinstance(error, Forbidden) and "exceeded quota" in error.message:
        return Verdict(False, conditions.QUOTA_EXCEEDED, error.message)
    if isinstance(error, Forbidden) and "is being terminated" in error.message:
        return Verdict(False, conditions.REJECTED, error.message)
    # 500: an admission webhook that does not answer, say; the message is the server's own.
    if error.status in (400, 403, 422, 500):
        return Verdict(
            False,
            conditions.REJECTED,
            f"the API server refuses what is asked for: {error.message}",
        )
    return None

"""The schedule that `function deploy` and `update` give: whose it is.

A Function has a field for it, of which the controller makes a trigger of the Function's name. Where
somebody made a trigger of that name apart, as the original's command line did, the schedule is that
trigger's: two would call twice.
"""

from __future__ import annotations

from typing import Any

from kubeless_cli.connection import Connection
from kubeless_cli.cronjob_trigger import CronJobWish, change
from kubeless_cli.edit import edit
from kubeless_cli.errors import Failure
from kubeless_cli.inputs import say
from kubeless_cli.kinds import CRONJOB_TRIGGER, FUNCTION
from kubeless_cli.trigger import function_of, owner

Object = dict[str, Any]


def is_apart(connection: Connection, name: str, schedule: str | None) -> bool:
    """Whether the schedule that a flag gives the function is that of a trigger made apart.

    Raises Failure when such a trigger stands in the way.
    """
    if schedule is None:
        return False
    trigger = connection.find(CRONJOB_TRIGGER, name)
    if trigger is None or owner(trigger) == name:
        return False
    if schedule == "":
        function = connection.find(FUNCTION, name) or {}
        if (function.get("spec") or {}).get("schedule"):
            return False
        raise Failure(
            f"The schedule of function {name} is a cronjob trigger made apart; nothing was done.\n"
            f"'kubeless trigger cronjob delete {name}' takes it away."
        )
    if function_of(trigger) != name:
        raise Failure(
            f"Cronjob trigger {name} is there already and calls function {function_of(trigger)}; "
            "nothing was done.\n"
            "Leave --schedule out and make a trigger with another name: 'kubeless trigger cronjob "
            f'create NAME --function {name} --schedule "{schedule}"\'.'
        )
    return True


def settle(connection: Connection, name: str, schedule: str | None, apart: bool) -> None:
    """Say where the schedule went; write it when it is that of a trigger `apart`."""
    if schedule is None:
        return
    if apart:
        wish = CronJobWish(schedule=schedule)
        edit(connection, CRONJOB_TRIGGER, name, lambda trigger: change(trigger, wish))
        say(
            f"Cronjob trigger {name}, which was made apart from the function, calls it at "
            f"'{schedule}'"
        )
    elif schedule:
        say(f"Function {name} is called at '{schedule}' by a trigger of its own")
    else:
        say(f"Function {name} has no schedule any more")

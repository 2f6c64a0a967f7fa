"""Whether the user of an action may control all players that it affects.

Home Assistant checks the entities that an action addresses. It knows nothing of those in
its data, and of the other members of a group.
"""

from collections.abc import Iterable

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser


async def async_check_control(
    hass: HomeAssistant, context: Context | None, entity_ids: Iterable[str]
) -> None:
    """Check that a call may control players; one without a user may control all.

    Raises UnknownUser: when the user of the call does not exist.
    Raises Unauthorized: when the user may not control one of them.
    """
    if context is None or context.user_id is None:
        return
    user = await hass.auth.async_get_user(context.user_id)
    if user is None:
        raise UnknownUser(context=context, permission=POLICY_CONTROL)
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
            raise Unauthorized(
                context=context,
                user_id=context.user_id,
                entity_id=entity_id,
                permission=POLICY_CONTROL,
            )

"""What an application holds while it runs: made by the lifespan, found in `request.state`."""

from typing import TypedDict

from slots.desk import Desk
from slots.settings import Settings
from web.catalogue import Catalogue
from web.live.hub import Hub
from web.live.presence import Presence
from web.passwords import Passwords
from web.pro_sante_connect import ProSanteConnect
from web.sessions import Sessions


class State(TypedDict):
    """One of each per process.

    Every open socket has a dict of these and of two more, the request's id and the account's: with
    an eleventh entry that dict takes half a KiB more.
    """

    settings: Settings
    desk: Desk
    catalogue: Catalogue
    hub: Hub
    presence: Presence
    sessions: Sessions
    passwords: Passwords
    pro_sante_connect: ProSanteConnect

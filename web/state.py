"""What an application holds while it runs: made by the lifespan, found in `request.state`."""

from typing import TypedDict

from slots.desk import Desk
from slots.settings import Settings
from web.catalogue import Catalogue
from web.live.hub import Hub
from web.live.presence import Presence
from web.passwords import Passwords
from web.places import Communes
from web.pro_sante_connect import ProSanteConnect
from web.sessions import Sessions


class State(TypedDict):
    """One of each per process."""

    settings: Settings
    desk: Desk
    catalogue: Catalogue
    hub: Hub
    presence: Presence
    sessions: Sessions
    passwords: Passwords
    communes: Communes
    pro_sante_connect: ProSanteConnect

"""The pages, by address. Writes are posts; each answers with a redirect or with what to mend."""

from typing import Final

from starlette.routing import BaseRoute, Mount, Route

from web.pages import (
    acts,
    coordination,
    delegations,
    directory,
    installation,
    links,
    notifications,
    own_devices,
    own_protection,
    people_table,
    pin,
    pro_sante_connect,
    professionals,
    protection,
    territory_settings,
    twins,
    verrou,
    workstations,
)
from web.pages.accessibility import accessibility
from web.pages.admissions import decide_admission
from web.pages.assets import DIRECTORY, Assets
from web.pages.availability import availability, offline, publish
from web.pages.holding import confirm, hold, hold_page, release, renew
from web.pages.journal import journal
from web.pages.last_week import publish_again
from web.pages.manifest import manifest
from web.pages.no_network import no_network
from web.pages.orient import orient
from web.pages.orientations import VERBS, orientations, sheet, verb
from web.pages.overflow import accept_overflow, overflow, overflow_page
from web.pages.own_account import end_session, own_account
from web.pages.patient_contact import erase_contact, open_contact, save_contact
from web.pages.patient_sheet import calendar_entry, patient_sheet
from web.pages.regulation import regulation, wall
from web.pages.rights import rights
from web.pages.service_worker import service_worker
from web.pages.services import amend_service, service_page
from web.pages.sign_in import factor, factor_page, home, sign_in, sign_in_page
from web.pages.withdrawing import withdraw, withdraw_day

PROFESSIONAL: Final = "/coordination/{territory_id:int}/professionnels/{practitioner_id:uuid}"
TWINS: Final = "/coordination/{territory_id:int}/doublons/{kind:str}/{stay_id:uuid}/{gone_id:uuid}"
PAGE_ROUTES: Final[list[BaseRoute]] = [
    Route("/", home),
    Route("/connexion", sign_in_page),
    Route("/connexion", sign_in, methods=["POST"]),
    Route("/connexion/facteur", factor_page),
    Route("/connexion/facteur", factor, methods=["POST"]),
    Route("/connexion/psc", pro_sante_connect.begin),
    Route("/connexion/psc/retour", pro_sante_connect.come_back),
    Route("/au-revoir", pro_sante_connect.goodbye),
    Route("/admission", pro_sante_connect.admission_page),
    Route("/admission", pro_sante_connect.ask_admission, methods=["POST"]),
    Route("/admission/confirmer", pro_sante_connect.confirm_address, methods=["POST"]),
    Route("/admission/{token}", pro_sante_connect.address_page),
    Route("/protection", protection.protection_page),
    Route("/protection/application", protection.add_app, methods=["POST"]),
    Route("/protection/cle", protection.add_passkey, methods=["POST"]),
    Route("/lien/{token}", links.follow_link),
    Route("/lien", links.ask_link_again, methods=["POST"]),
    Route("/mot-de-passe-oublie", links.forgotten_page),
    Route("/mot-de-passe-oublie", links.forgotten, methods=["POST"]),
    Route("/nouveau-mot-de-passe", links.password_page),
    Route("/nouveau-mot-de-passe", links.choose_password, methods=["POST"]),
    Route("/deconnexion", pro_sante_connect.sign_out, methods=["POST"]),
    Route("/accessibilite", accessibility),
    Route("/disponibilites", availability),
    Route("/disponibilites", publish, methods=["POST"]),
    Route("/disponibilites/hors-ligne", offline),
    Route("/disponibilites/semaine-derniere", publish_again, methods=["POST"]),
    Route("/disponibilites/en-plus", accept_overflow, methods=["POST"]),
    Route("/disponibilites/notifications", notifications.subscribe, methods=["POST"]),
    Route(
        "/disponibilites/notifications/heures-calmes",
        notifications.choose_quiet_hours,
        methods=["POST"],
    ),
    Route(
        "/disponibilites/notifications/{subscription_id:uuid}/arreter",
        notifications.unsubscribe,
        methods=["POST"],
    ),
    Route("/disponibilites/retirer-aujourdhui", withdraw_day, methods=["POST"]),
    Route("/disponibilites/{slot_id:uuid}/retirer", withdraw, methods=["POST"]),
    Route("/orienter", orient),
    Route("/regulation", regulation),
    Route("/mur", wall),
    Route("/orientations", orientations),
    Route("/annuaire", directory.annuaire),
    Route("/annuaire.csv", directory.csv),
    Route("/annuaire/papier", directory.paper),
    Route("/annuaire/{owner_id:uuid}", directory.person),
    Route("/creneaux/{slot_id:uuid}/retenir", hold, methods=["POST"]),
    Route("/retenues/{hold_id:uuid}", hold_page),
    Route("/retenues/{hold_id:uuid}/prolonger", renew, methods=["POST"]),
    Route("/retenues/{hold_id:uuid}/liberer", release, methods=["POST"]),
    Route("/retenues/{hold_id:uuid}/confirmer", confirm, methods=["POST"]),
    Route("/rendez-vous/{appointment_id:uuid}", sheet),
    Route("/rendez-vous/{appointment_id:uuid}/feuille", patient_sheet),
    Route("/rendez-vous/{appointment_id:uuid}/agenda.ics", calendar_entry),
    *(
        Route(f"/rendez-vous/{{appointment_id:uuid}}/{path}", verb(path), methods=["POST"])
        for path in VERBS
    ),
    Route("/rendez-vous/{appointment_id:uuid}/coordonnees", open_contact, methods=["POST"]),
    Route(
        "/rendez-vous/{appointment_id:uuid}/coordonnees/enregistrer",
        save_contact,
        methods=["POST"],
    ),
    Route(
        "/rendez-vous/{appointment_id:uuid}/coordonnees/effacer", erase_contact, methods=["POST"]
    ),
    Route("/en-sus/{schedule_id:uuid}", overflow_page),
    Route("/en-sus/{schedule_id:uuid}", overflow, methods=["POST"]),
    Route("/coordination", coordination.coordination),
    Route("/coordination/{territory_id:int}", coordination.coordination),
    Route("/coordination/{territory_id:int}/journal", journal),
    Route("/coordination/import", people_table.import_page),
    Route("/coordination/{territory_id:int}/import", people_table.import_page),
    Route("/coordination/{territory_id:int}/import", people_table.preview, methods=["POST"]),
    Route("/coordination/{territory_id:int}/import/modele.csv", people_table.template),
    Route(
        "/coordination/{territory_id:int}/import/confirmer", people_table.bring, methods=["POST"]
    ),
    Route("/coordination/personnes.csv", people_table.export),
    Route("/coordination/{territory_id:int}/personnes.csv", people_table.export),
    Route("/coordination/professionnels", professionals.professionals),
    Route("/coordination/{territory_id:int}/professionnels", professionals.professionals),
    Route(PROFESSIONAL, professionals.professional),
    Route(PROFESSIONAL, professionals.amend, methods=["POST"]),
    Route(f"{PROFESSIONAL}/lieux", professionals.add_place, methods=["POST"]),
    Route(f"{PROFESSIONAL}/lieux/{{role_id:uuid}}", professionals.amend_place, methods=["POST"]),
    Route(f"{PROFESSIONAL}/lieux/{{role_id:uuid}}/fin", professionals.end_place, methods=["POST"]),
    Route("/coordination/{territory_id:int}/services/{service_id:uuid}", service_page),
    Route(
        "/coordination/{territory_id:int}/services/{service_id:uuid}",
        amend_service,
        methods=["POST"],
    ),
    Route("/coordination/doublons", twins.twins),
    Route("/coordination/{territory_id:int}/doublons", twins.twins),
    Route(TWINS, twins.pair),
    Route(TWINS, twins.merge, methods=["POST"]),
    Route("/coordination/{territory_id:int}/inviter", coordination.invite, methods=["POST"]),
    Route(
        "/coordination/{territory_id:int}/personnes/{account_id:uuid}/roles",
        coordination.set_roles,
        methods=["POST"],
    ),
    Route(
        "/coordination/{territory_id:int}/personnes/{account_id:uuid}/inviter",
        coordination.invite_again,
        methods=["POST"],
    ),
    Route(
        "/coordination/{territory_id:int}/personnes/{account_id:uuid}/sessions",
        coordination.end_sessions,
        methods=["POST"],
    ),
    Route(
        "/coordination/{territory_id:int}/admissions/{admission_id:uuid}",
        decide_admission,
        methods=["POST"],
    ),
    Route("/coordination/reglages", territory_settings.settings_page),
    Route("/coordination/{territory_id:int}/reglages", territory_settings.settings_page),
    Route(
        "/coordination/{territory_id:int}/reglages",
        territory_settings.save_settings,
        methods=["POST"],
    ),
    Route("/coordination/actes", acts.acts_page),
    Route("/coordination/{territory_id:int}/actes", acts.acts_page),
    Route("/coordination/{territory_id:int}/actes", acts.add_act, methods=["POST"]),
    Route("/coordination/{territory_id:int}/actes/{code}", acts.change_act, methods=["POST"]),
    Route("/delegations", delegations.delegations),
    Route("/delegations/{schedule_id:uuid}", delegations.delegate, methods=["POST"]),
    Route(
        "/delegations/{schedule_id:uuid}/{account_id:uuid}/retirer",
        delegations.end_delegation,
        methods=["POST"],
    ),
    Route("/droits", rights),
    Route("/installation", installation.installation),
    Route("/installation/territoires", installation.add_territory, methods=["POST"]),
    Route("/installation/postes", workstations.add_workstation, methods=["POST"]),
    Route(
        "/installation/postes/{workstation_id:uuid}/retirer",
        workstations.revoke_workstation,
        methods=["POST"],
    ),
    Route("/poste/{link}", workstations.workstation_page),
    Route("/poste", workstations.confirm_workstation, methods=["POST"]),
    Route("/verrou", verrou.lock_page),
    Route("/verrou", verrou.unlock, methods=["POST"]),
    Route("/verrouiller", verrou.lock, methods=["POST"]),
    Route("/hors-ligne", no_network),
    Route("/compte", own_account),
    Route("/compte/prouver", own_protection.prove),
    Route("/compte/confirmer", own_protection.confirm_page),
    Route("/compte/confirmer", own_protection.confirm, methods=["POST"]),
    Route("/compte/protection", own_protection.add, methods=["POST"]),
    Route("/compte/cles/{credential_id}/retirer", own_protection.remove_passkey, methods=["POST"]),
    Route("/compte/application/retirer", own_protection.remove_app, methods=["POST"]),
    Route("/compte/codes", own_protection.renew_codes, methods=["POST"]),
    Route("/compte/code", pin.pin_page),
    Route("/compte/code", pin.choose_pin, methods=["POST"]),
    Route("/compte/code/retirer", pin.remove_pin, methods=["POST"]),
    Route("/compte/mot-de-passe", own_protection.password_page),
    Route("/compte/mot-de-passe", own_protection.change_password, methods=["POST"]),
    Route("/compte/logiciels", own_devices.new_device),
    Route("/compte/cles-logiciel", own_devices.make_key, methods=["POST"]),
    Route("/compte/ecrans", own_devices.make_screen, methods=["POST"]),
    Route("/mur/ecran/{link}", own_devices.screen_page),
    Route("/mur/ecran", own_devices.begin_screen, methods=["POST"]),
    Route("/compte/sessions/fermer-les-autres", end_session, methods=["POST"]),
    Route("/compte/sessions/{session_id:uuid}/fermer", end_session, methods=["POST"]),
    Route("/manifest.webmanifest", manifest),
    Route("/service-worker.js", service_worker),
    Mount("/static", Assets(directory=DIRECTORY)),
]

"""What each refusal says to people, in French: a title and a sentence, by code."""

from types import MappingProxyType
from typing import Final

# code: (title, detail)
SENTENCES: Final = MappingProxyType(
    {
        "malformed": (
            "Requête illisible",
            "Le contenu envoyé n’est pas du JSON valide.",
        ),
        "media-type-unsupported": (
            "Format non accepté",
            "Le contenu doit être envoyé en application/json.",
        ),
        "body-too-large": ("Contenu trop volumineux", "Le contenu envoyé dépasse 64 Kio."),
        "invalid": ("Saisie à corriger", "Certains champs ne peuvent pas être acceptés."),
        "idempotency-key-required": (
            "Clé manquante",
            "L’en-tête Idempotency-Key est obligatoire : 1 à 100 caractères imprimables.",
        ),
        "idempotency-mismatch": (
            "Clé déjà utilisée",
            "Cette clé a déjà servi pour une autre demande : choisissez-en une nouvelle.",
        ),
        "not-signed-in": ("Non connecté", "Connectez-vous pour continuer."),
        "session-locked": (
            "Session verrouillée",
            "Cette session est verrouillée : ouvrez-la par votre code ou votre clé d’accès, puis recommencez.",
        ),
        "pin-refused": ("Code refusé", "Ce n’est pas votre code."),
        "sign-in-refused": ("Connexion refusée", "Adresse ou mot de passe incorrect."),
        "factor-refused": (
            "Code refusé",
            "Ce code ou cette clé n’est pas le bon, ou a déjà servi.",
        ),
        "ticket-ended": (
            "Étape terminée",
            "Cette étape n’est plus valable : trop tard, trop d’essais, ou déjà faite. Recommencez.",
        ),
        "proof-due": (
            "Identité à confirmer",
            "Trop de temps a passé : ouvrez à nouveau la page, qui vous demandera de confirmer que c’est bien vous.",
        ),
        "too-many-tries": (
            "Trop d’essais",
            "Trop d’essais de connexion : patientez avant de recommencer.",
        ),
        "too-many-requests": (
            "Trop de demandes",
            "Trop de demandes en une minute : patientez un instant, puis recommencez.",
        ),
        "cross-site": (
            "Requête refusée",
            "Cette demande ne vient pas de nos pages : rechargez la page et recommencez.",
        ),
        "host-unknown": ("Adresse inconnue", "Le service ne répond pas à cette adresse."),
        "not-found": ("Introuvable", "Il n’y a rien à cette adresse."),
        "method-not-allowed": ("Méthode refusée", "Cette adresse n’accepte pas cette méthode."),
        "unexpected": (
            "Erreur inattendue",
            "Une erreur s’est produite de notre côté ; elle a été enregistrée.",
        ),
        "not-allowed": ("Non autorisé", "Votre rôle ne permet pas cette action ici."),
        "origin-not-yours": (
            "Origine refusée",
            "L’origine d’un rendez-vous découle de votre rôle : celle indiquée n’est pas la vôtre.",
        ),
        "hold-not-yours": (
            "Place retenue par un autre",
            "Une autre personne retient cette place.",
        ),
        "slot-unknown": ("Créneau introuvable", "Ce créneau n’existe pas, ou n’existe plus."),
        "schedule-unknown": ("Agenda introuvable", "Cet agenda n’existe pas."),
        "appointment-unknown": ("Rendez-vous introuvable", "Ce rendez-vous n’existe pas."),
        "contact-unknown": (
            "Pas de coordonnées",
            "Aucune coordonnée du patient n’est gardée pour ce rendez-vous, ou plus maintenant.",
        ),
        "contacts-off": (
            "Coordonnées non gardées",
            "Ce territoire ne garde pas de coordonnées des patients : rien n’a été enregistré.",
        ),
        "conflict": ("Conflit", "L’état du créneau ne permet plus cette action."),
        "slot-taken": ("Place déjà prise", "Cette place vient d’être prise par quelqu’un d’autre."),
        "slot-withdrawn": ("Créneau retiré", "Le professionnel a retiré ce créneau."),
        "slot-changed": (
            "Créneau modifié",
            "L’heure, le lieu ou le type de soin a changé depuis que vous reteniez la place.",
        ),
        "slot-not-live": (
            "Créneau non réservable",
            "Ce créneau ne peut pas être réservé maintenant : il est passé, ou pas encore ouvert.",
        ),
        "daily-cap": (
            "Plafond du jour atteint",
            "Le professionnel ne prend plus de patients ce jour-là.",
        ),
        "hold-expired": (
            "Réservation expirée",
            "Le délai pour confirmer est passé : la place a pu être donnée à quelqu’un d’autre.",
        ),
        "hold-renewed": (
            "Déjà prolongée",
            "Une place retenue ne peut être prolongée qu’une seule fois.",
        ),
        "too-many-holds": (
            "Trop de places retenues",
            "Vous retenez déjà le nombre maximal de places : confirmez ou libérez-en une.",
        ),
        "slot-overlap": (
            "Chevauchement",
            "Le professionnel a déjà un créneau à ce moment-là, ou plus aucune salle n’est libre.",
        ),
        "slot-in-use": (
            "Créneau occupé",
            "Une place de ce créneau est retenue ou réservée : il ne peut pas être modifié ainsi.",
        ),
        "capacity-below-taken": (
            "Capacité insuffisante",
            "Plus de places que cela sont déjà prises.",
        ),
        "seats-booked": (
            "Patients attendus",
            "Des patients sont attendus sur ce créneau : confirmez l’annulation de leurs rendez-vous.",
        ),
        "overflow-refused": (
            "Pas de surnuméraire",
            "Ce professionnel ne prend pas de patient au-delà des places publiées.",
        ),
        "appointment-ended": (
            "Rendez-vous clos",
            "L’état du rendez-vous ne permet plus cette action.",
        ),
        "too-early": (
            "Trop tôt",
            "La venue du patient se note à partir de 15 minutes avant l’heure du rendez-vous.",
        ),
        "unavailable": (
            "Service indisponible",
            "Le service ne peut pas répondre pour le moment : réessayez dans un instant.",
        ),
        "broker-unavailable": (
            "Réservation indisponible",
            "Aucune place ne peut être retenue ni confirmée pour le moment : réessayez dans un instant.",
        ),
        "rebuilding": (
            "Tableau en reconstruction",
            "Le tableau des places se reconstruit : réessayez dans un instant.",
        ),
        "ledger-unavailable": (
            "Service indisponible",
            "La base de données ne répond pas : réessayez dans un instant.",
        ),
        "outcome-unknown": (
            "Réponse perdue",
            "La réponse s’est perdue : recommencez avec la même clé pour savoir ce qu’il en est.",
        ),
    }
)

"""A replay in plain words, English or Spanish: what happened, who did it, why, and how the case stood."""

from collections.abc import Mapping
from typing import Any, Final

from audit.replay.asked import Asked
from audit.replay.case import Entry, Replay, RuleTried
from audit.replay.words import ASKED, BECAUSE, EVENTS, VALUES, Language, Words

_ACTORS: Final[Mapping[str, Words]] = {
    "passage": Words("Passage itself", "Passage"),
    "supporter": Words("the supporter", "la persona de apoyo"),
    "applicant": Words("the applicant", "la persona solicitante"),
    "sponsor_registry": Words("the supporter registry", "el registro de personas de apoyo"),
    "entry_records": Words("the Mexican entry records", "los registros migratorios de México"),
    "vetting": Words("the vetting service", "el servicio de revisión de seguridad"),
    "border": Words("the border service", "el servicio de fronteras"),
    "work_permit_office": Words("the work permit office", "la oficina de permisos de trabajo"),
    "governments": Words("the governments", "los gobiernos"),
}
_LIMIT: Final = Words("the limit “{name}” ended at {at}", "el plazo «{name}» venció el {at}")
_MESSAGE: Final = Words("message {id} from {who}", "mensaje {id} de {who}")
_NOTIFICATION: Final = Words(
    "a place was offered, or the programme changed ({id})", "se ofreció un cupo o cambió el programa ({id})"
)
_ERASURE: Final = Words("an order of erasure", "una orden de borrado")
_STAGES: Final[Mapping[str, Words]] = {
    "sponsor_confirmation": Words("confirmation of the supporter", "confirmación de la persona de apoyo"),
    "proof_of_entry": Words("proof of entry", "comprobante de ingreso"),
    "security_vetting": Words("security vetting", "revisión de seguridad"),
    "travel_authorization": Words("travel authorization", "autorización de viaje"),
    "work_permit_eligibility": Words("parole and work permit", "parole y permiso de trabajo"),
    "closed": Words("closed", "cerrado"),
}
_WAITING: Final[Mapping[str, Words]] = {
    "sponsor": Words("the supporter registry", "el registro de personas de apoyo"),
    "entry_records": Words("the Mexican entry records", "los registros migratorios"),
    "applicant": Words("the applicant", "la persona solicitante"),
    "vetting": Words("the vetting service", "la revisión de seguridad"),
    "officer": Words("an officer", "un oficial"),
    "place": Words("a place", "un cupo"),
    "arrival": Words("the beneficiary's arrival", "la llegada de la persona beneficiaria"),
    "work_permit_office": Words("the work permit office", "la oficina de permisos de trabajo"),
    "parole_end": Words("the end of parole", "el fin del parole"),
    "programme": Words("the programme to resume", "la reanudación del programa"),
}
_FIELDS: Final[Mapping[str, Words]] = {
    "stage": Words("Stage", "Etapa"),
    "waiting_on": Words("Waiting on", "En espera de"),
    "since": Words("Since", "Desde"),
    "outcome": Words("Outcome", "Resultado"),
    "reason": Words("Reason", "Motivo"),
    "programme": Words("Programme", "Programa"),
    "rules_version": Words("Rules at filing", "Reglas al presentarse"),
    "filed_at": Words("Filed", "Presentado"),
    "requests": Words("Open requests", "Consultas abiertas"),
    "referrals": Words("Open questions to officers", "Preguntas abiertas a oficiales"),
    "waitlisted_at": Words("On the waiting list since", "En lista de espera desde"),
    "authorized_last_day": Words("Authorized until, as last set", "Autorizado hasta, según lo fijado"),
    "paroled_last_day": Words("Paroled until", "Con parole hasta"),
    "work_permit": Words("Work permit", "Permiso de trabajo"),
    "held": Words("Waits for the programme", "Espera al programa"),
    "travel_held": Words("Authorization held", "Autorización retenida"),
    "flags": Words("Flags", "Señales"),
    "messages_rejected": Words("Messages refused", "Mensajes rechazados"),
    "erased": Words("Personal data erased", "Datos personales borrados"),
}
_PERSONAL: Final[Mapping[str, Words]] = {
    "none": Words("Nothing in it is personal.", "No contiene datos personales."),
    "shown": Words(
        "Personal data is shown; that it was shown is on record in the access log.",
        "Se muestran datos personales; la consulta consta en el registro de accesos.",
    ),
    "withheld": Words(
        "Personal data is not shown: nobody gave an actor and a reason.",
        "No se muestran datos personales: no se indicó quién los consulta ni por qué.",
    ),
    "erased": Words(
        "Personal data was erased: the key is destroyed, and nobody can read it any more.",
        "Los datos personales fueron borrados: la llave fue destruida y nadie puede leerlos.",
    ),
}


class _Said(dict[str, str]):
    """Public fields in words; what an event does not have is said with nothing."""

    def __missing__(self, _: str) -> str:
        return ""


def happened(entry: Entry, language: Language) -> str:
    """One sentence on what happened."""
    said = _Said({name: value_of(value, language) for name, value in entry.public.items() if value is not None})
    return " ".join(getattr(EVENTS[entry.type], language).format_map(said).split())


def asked(found: Asked, language: Language) -> str:
    """One sentence on who was told or shown what; the type alone of a kind that this program does not know."""
    known = ASKED.get(found.type)
    said = _Said({name: str(value) for name, value in found.says.items()})
    return found.type if known is None else str(getattr(known, language).format_map(said))


def asked_title(language: Language) -> str:
    """Above those sentences."""
    return "Who asked about the case" if language == "en" else "Quién preguntó por el caso"


def value_of(value: Any, language: Language) -> str:
    """A public value, in words where it is a code that has some."""
    if isinstance(value, list):
        return ", ".join(value_of(each, language) for each in value)
    known = VALUES.get(str(value))
    return str(value) if known is None else str(getattr(known, language))


def acted(entry: Entry, language: Language) -> str:
    """Who did it."""
    kind, _, reference = entry.actor.partition(":")
    if kind == "officer" and reference:
        return f"{'officer' if language == 'en' else 'oficial'} {reference}"
    known = _ACTORS.get(entry.actor)
    return entry.actor if known is None else str(getattr(known, language))


def caused(entry: Entry, language: Language) -> str:
    """What it followed from: a message, a limit that ended, or a notification of ours."""
    source, _, rest = entry.command_id.partition(":")
    if source == "deadline":
        name, _, at = rest.partition(":")
        return str(getattr(_LIMIT, language).format(name=name, at=at))
    if source == "erase":
        return str(getattr(_ERASURE, language))
    if source == "passage":
        return str(getattr(_NOTIFICATION, language).format(id=rest))
    who = _ACTORS.get(source)
    return str(getattr(_MESSAGE, language).format(id=rest, who=source if who is None else getattr(who, language)))


def why(rule: RuleTried, language: Language) -> str:
    """Why the rule said what it said; a code of a rule that this program does not know speaks for itself."""
    known = BECAUSE.get(rule.because)
    return rule.because.replace("-", " ") if known is None else str(getattr(known, language))


def result(rule: RuleTried, language: Language) -> str:
    """Passed, failed or referred."""
    return str(getattr(VALUES[rule.result], language))


def rule_name(rule: str, language: Language) -> str:
    """The rule's name."""
    return value_of(rule, language)


def state(found: Replay, language: Language) -> list[tuple[str, str]]:
    """How the case stood, as names and values; what there is nothing of is left out."""
    lines = []
    for name, value in found.state.items():
        if value in (None, False, [], 0):
            continue
        known = {"stage": _STAGES, "waiting_on": _WAITING}.get(name, {}).get(str(value))
        said = str(getattr(known, language)) if known else _moment_or_value(value, language)
        lines.append((str(getattr(_FIELDS[name], language)), said))
    return lines


def _moment_or_value(value: Any, language: Language) -> str:
    if value is True:
        return "yes" if language == "en" else "sí"
    return value.isoformat() if hasattr(value, "isoformat") else value_of(value, language)


def personal(found: Replay, language: Language) -> str:
    """Whether what is personal is shown, and if not why."""
    return str(getattr(_PERSONAL[found.personal], language))

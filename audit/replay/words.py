"""Every word that a replay says, in English and Spanish. `{name}` is a public field of the event."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Language = Literal["en", "es"]


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    es: str


EVENTS: Final[Mapping[str, Words]] = {
    "ApplicationFiled": Words("An application was filed.", "Se presentó una solicitud."),
    "SponsorConfirmationRequested": Words(
        "The supporter registry was asked about the supporter.", "Se consultó al registro sobre la persona de apoyo."
    ),
    "SponsorConfirmed": Words("The supporter is confirmed.", "La persona de apoyo quedó confirmada."),
    "SponsorNotConfirmed": Words("The supporter is not confirmed.", "La persona de apoyo no fue confirmada."),
    "SponsorWithdrew": Words("The supporter withdrew.", "La persona de apoyo se retiró."),
    "SponsorReplaced": Words("Another supporter was named.", "Se nombró a otra persona de apoyo."),
    "EntryProofNotRequired": Words(
        "No proof of entry into Mexico is needed.", "No se requiere comprobante de ingreso a México."
    ),
    "EntryCheckRequested": Words(
        "The Mexican entry records were asked.", "Se consultaron los registros migratorios de México."
    ),
    "EntryVerified": Words("The entry into Mexico is verified ({by}).", "El ingreso a México quedó verificado ({by})."),
    "EntryRefused": Words("The entry into Mexico does not qualify.", "El ingreso a México no cumple el requisito."),
    "EvidenceRequested": Words(
        "The applicant was asked for proof of entry.", "Se pidió a la persona solicitante un comprobante de ingreso."
    ),
    "EvidenceReceived": Words("Proof of entry was received ({strong}).", "Se recibió un comprobante ({strong})."),
    "EvidenceDeadlinePassed": Words(
        "The limit for proof of entry ended.", "Venció el plazo para el comprobante de ingreso."
    ),
    "VettingRequested": Words("Security vetting was asked for.", "Se solicitó la revisión de seguridad."),
    "VettingCleared": Words("Security vetting is cleared.", "La revisión de seguridad está superada."),
    "ReferredToOfficer": Words(
        "Question {number} was put to an officer: {question}. {codes}",
        "Se remitió la pregunta {number} a un oficial: {question}. {codes}",
    ),
    "ReferralEscalated": Words(
        "Question {number} was not answered in time and went to a supervisor.",
        "La pregunta {number} no se contestó a tiempo y pasó a supervisión.",
    ),
    "OfficerDecided": Words(
        "Officer {officer} decided question {number}: {decision}.",
        "El oficial {officer} resolvió la pregunta {number}: {decision}.",
    ),
    "OfficerDecisionConfirmed": Words(
        "Officer {officer} confirmed the denial of question {number}.",
        "El oficial {officer} confirmó la negativa de la pregunta {number}.",
    ),
    "VettingDenied": Words("Two officers denied.", "Dos oficiales resolvieron en sentido negativo."),
    "Waitlisted": Words(
        "All is done and no place is free: the case waits for one.",
        "Todo está completo y no hay cupo: el caso espera uno.",
    ),
    "TravelAuthorized": Words(
        "The beneficiary may travel until {last_day}, its last day.",
        "La persona beneficiaria puede viajar hasta el {last_day} inclusive.",
    ),
    "TravelAuthorizationExtended": Words(
        "The authorization was extended until {last_day}.", "La autorización se prorrogó hasta el {last_day}."
    ),
    "TravelAuthorizationHeld": Words(
        "The authorization is held: {because}.", "La autorización queda retenida: {because}."
    ),
    "TravelAuthorizationReleased": Words("The authorization is good again.", "La autorización vuelve a ser válida."),
    "TravelAuthorizationRevoked": Words(
        "The authorization was revoked: {reason}.", "La autorización fue revocada: {reason}."
    ),
    "TravelAuthorizationExpired": Words(
        "The authorization ended on {last_day} unused.", "La autorización venció el {last_day} sin usarse."
    ),
    "IrregularCrossingRecorded": Words(
        "An irregular border crossing was reported.", "Se informó de un cruce fronterizo irregular."
    ),
    "PassportChanged": Words("The beneficiary has another passport.", "La persona beneficiaria tiene otro pasaporte."),
    "ParoleGranted": Words(
        "Parole was granted at {port}, until {last_day}.", "Se otorgó el parole en {port}, hasta el {last_day}."
    ),
    "ParoleRefused": Words("Parole was refused at {port}.", "Se negó el parole en {port}."),
    "WorkPermitApplied": Words("A work permit was applied for.", "Se solicitó un permiso de trabajo."),
    "WorkPermitEligible": Words("The work permit office says yes.", "La oficina de permisos de trabajo dice que sí."),
    "WorkPermitIneligible": Words("The work permit office says no.", "La oficina de permisos de trabajo dice que no."),
    "ParoleEnding": Words(
        "Notice was given that parole ends on {last_day}.", "Se avisó que el parole termina el {last_day}."
    ),
    "ParoleEnded": Words("Parole ended on {last_day}.", "El parole terminó el {last_day}."),
    "CaseHeld": Words(
        "The programme is suspended: the next step waits.", "El programa está suspendido: el siguiente paso espera."
    ),
    "CaseResumed": Words("The programme resumed and the case goes on.", "El programa se reanudó y el caso continúa."),
    "ApplicationWithdrawn": Words("The application was withdrawn by the {by}.", "La solicitud fue retirada ({by})."),
    "MessageRejected": Words("A message was refused: {kind}, {code}.", "Se rechazó un mensaje: {kind}, {code}."),
    "CaseClosed": Words("The case closed: {outcome}. {reason}", "El caso se cerró: {outcome}. {reason}"),
    "PersonalDataErased": Words(
        "Personal data was erased by order of officers {first_officer} and {second_officer}: {because}.",
        "Se borraron los datos personales por orden de los oficiales {first_officer} y {second_officer}: {because}.",
    ),
}

ASKED: Final[Mapping[str, Words]] = {
    "PersonalDataViewed": Words("Personal data was viewed: {because}.", "Se vieron los datos personales: {because}."),
    "CaseExported": Words("The case was exported: {because}.", "Se exportó el caso: {because}."),
    "BoardingChecked": Words(
        "A carrier asked about boarding and was answered: {answer}.",
        "Un transportista preguntó por el abordaje y se le contestó: {answer}.",
    ),
    "HistoryStored": Words(
        "The coordinator's history of run {run} was put away.", "Se guardó el historial de la ejecución {run}."
    ),
    "LegalHoldPlaced": Words("A legal hold was placed: {because}.", "Se ordenó conservar el caso: {because}."),
    "LegalHoldReleased": Words(
        "The legal hold was released: {because}.", "Se levantó la orden de conservar: {because}."
    ),
}
"""Events of the access stream."""

VALUES: Final[Mapping[str, Words]] = {
    "True": Words("strong", "sólido"),
    "False": Words("weak", "débil"),
    "records": Words("by the records", "por los registros"),
    "document": Words("by a document", "por un documento"),
    "evidence": Words("by evidence", "por un comprobante"),
    "officer": Words("by an officer", "por un oficial"),
    "approve": Words("approved", "aprobada"),
    "deny": Words("denied", "negada"),
    "passport": Words("the passport changed", "cambió el pasaporte"),
    "applicant": Words("applicant", "la persona solicitante"),
    "completed": Words("completed", "concluido"),
    "not_confirmed": Words("supporter not confirmed", "persona de apoyo no confirmada"),
    "ineligible": Words("not eligible", "no elegible"),
    "denied": Words("denied", "denegado"),
    "duplicate": Words("an earlier case is open", "hay un caso anterior abierto"),
    "withdrawn": Words("withdrawn", "retirado"),
    "expired": Words("expired", "vencido"),
    "revoked": Words("revoked", "revocado"),
    "refused_at_port": Words("refused at the port of entry", "inadmitido en el puerto de entrada"),
    "terminated": Words("the programme ended", "programa terminado"),
    "supporter": Words("supporter", "persona de apoyo"),
    "nationality": Words("nationality", "nacionalidad"),
    "sole-nationality": Words("sole nationality", "nacionalidad única"),
    "passport-validity": Words("validity of the passport", "vigencia del pasaporte"),
    "minor-guardian": Words("guardian of a minor", "tutor de un menor"),
    "one-active-case": Words("one open case a person", "un solo caso abierto por persona"),
    "mexico-entry": Words("entry into Mexico", "ingreso a México"),
    "irregular-entry": Words("irregular entry", "ingreso irregular"),
    "removal-order": Words("removal order", "orden de expulsión"),
    "vetting": Words("security vetting", "revisión de seguridad"),
    "evidence-deadline": Words("the limit for evidence ended", "venció el plazo para el comprobante"),
    "supporter-withdrew": Words("the supporter withdrew", "la persona de apoyo se retiró"),
    "authorization-expired": Words("the authorization expired", "venció la autorización"),
    "port-of-entry": Words("refused at the port of entry", "inadmitido en el puerto de entrada"),
    "programme-terminated": Words("the programme was terminated", "el programa fue terminado"),
    "applicant-withdrew": Words("the application was withdrawn", "la solicitud fue retirada"),
    "passed": Words("passed", "cumple"),
    "failed": Words("failed", "no cumple"),
    "referred": Words("referred to an officer", "remitida a un oficial"),
}
"""Codes that stand in an event's fields."""

BECAUSE: Final[Mapping[str, Words]] = {
    "venezuelan": Words("Venezuelan national", "nacional de Venezuela"),
    "not-venezuelan": Words("not a Venezuelan national", "no es nacional de Venezuela"),
    "no-other-status": Words("no status in another country", "sin estatus en otro país"),
    "status-elsewhere": Words("has a status in another country", "tiene estatus en otro país"),
    "child-of-age": Words("the child is of age", "el hijo ya no es menor de la edad exigida"),
    "principal-not-open": Words("the principal's case is not open", "el caso del titular no está abierto"),
    "travels-with-principal": Words("travels with the principal", "viaja con el titular"),
    "valid": Words("valid on the day of decision", "vigente el día de la decisión"),
    "no-longer-valid": Words("no longer valid on the day of decision", "no vigente el día de la decisión"),
    "adult": Words("an adult", "persona adulta"),
    "no-guardian": Words("a minor without guardian", "menor sin tutor"),
    "parent-with-birth-certificate": Words("a parent, by birth certificate", "padre o madre, con acta de nacimiento"),
    "guardian-with-court-order": Words("a legal guardian, by court order", "tutor legal, con orden judicial"),
    "guardian-not-shown": Words("the guardian is not shown", "tutoría no acreditada"),
    "no-earlier-case-open": Words("no earlier case is open", "sin caso anterior abierto"),
    "earlier-case-open": Words("an earlier case is open", "hay un caso anterior abierto"),
    "not-in-mexico": Words("not in Mexico", "no está en México"),
    "no-entry-declared": Words("no entry was declared", "no declaró ingreso"),
    "declared-before-cutoff": Words("declared before the cutoff", "declarado antes de la fecha límite"),
    "declared-on-or-after-cutoff": Words("declared on or after the cutoff", "declarado en la fecha límite o después"),
    "before-cutoff": Words("before the cutoff", "antes de la fecha límite"),
    "on-or-after-cutoff": Words("on or after the cutoff", "en la fecha límite o después"),
    "strong-document": Words("a strong document", "un documento sólido"),
    "officer-approved": Words("an officer approved", "un oficial aprobó"),
    "officer-denied": Words("officers denied", "los oficiales negaron"),
    "none-after-notice": Words("none after the notice", "ninguno después del aviso"),
    "declared-after-notice": Words("declared, after the notice", "declarado, después del aviso"),
    "reported-after-notice": Words("reported, after the notice", "informado, después del aviso"),
    "registry-confirmed": Words("the registry confirms", "el registro confirma"),
    "many-cases": Words("the supporter has many cases", "la persona de apoyo tiene muchos casos"),
    "shared-tax-id": Words("another supporter has the tax number", "otra persona de apoyo tiene el número fiscal"),
    "shared-phone": Words("another supporter has the telephone", "otra persona de apoyo tiene el teléfono"),
    "shared-address": Words("another supporter has the address", "otra persona de apoyo tiene el domicilio"),
    "none-within-years": Words("none within the years", "ninguna en los años previstos"),
    "ordered-within-years": Words("ordered within the years", "dictada en los años previstos"),
    "cleared": Words("cleared", "superada"),
    "not-cleared": Words("not cleared", "no superada"),
}
"""Why a rule said what it said."""

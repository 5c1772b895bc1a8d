"""What a replay says of any case, in English and Spanish. A family declares its own words with what they are for."""

from typing import Final, Literal

from domain.kernel.definition import Codes, Words

Language = Literal["en", "es"]

LIMIT: Final = Words("the limit “{name}” ended at {at}", "el plazo «{name}» venció el {at}")
MESSAGE: Final = Words("message {id} from {who}", "mensaje {id} de {who}")
NOTIFICATION: Final = Words(
    "a place was offered, or the programme changed ({id})", "se ofreció un cupo o cambió el programa ({id})"
)
ERASURE: Final = Words("an order of erasure", "una orden de borrado")
ROLES: Final[Codes] = {
    "officer": Words("officer {reference}", "oficial {reference}"),
    "intake": Words("intake service {reference}", "servicio de recepción {reference}"),
    "operator": Words("operator {reference}", "operador {reference}"),
}
ROLE: Final = Words("{role} {reference}", "{role} {reference}")
PROOFS: Final[Codes] = {
    "key": Words("signed with key {detail}", "firmado con la llave {detail}"),
    "token": Words("proved by a token", "acreditado con un token"),
    "operator": Words("proved by a token at the command line", "acreditado con un token en la línea de comandos"),
    "asked": Words("a signed answer, key {detail}", "una respuesta firmada, llave {detail}"),
    "clock": Words("nobody sent it", "nadie lo envió"),
    "none": Words("not proved", "sin acreditar"),
}
"""By what a sender was known."""
CLOSED: Final = Words("closed", "cerrado")
YES: Final = Words("yes", "sí")
WHO_ASKED: Final = Words("Who asked about the case", "Quién preguntó por el caso")
RESULTS: Final[Codes] = {
    "passed": Words("passed", "cumple"),
    "failed": Words("failed", "no cumple"),
    "referred": Words("referred to an officer", "remitida a un oficial"),
}
STATE: Final[Codes] = {
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
    "held": Words("Waits for the programme", "Espera al programa"),
    "on_hold": Words("On hold", "En pausa"),
    "flags": Words("Flags", "Señales"),
    "messages_rejected": Words("Messages refused", "Mensajes rechazados"),
    "erased": Words("Personal data erased", "Datos personales borrados"),
}
"""What a state has in every family."""
PERSONAL: Final[Codes] = {
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

ASKED: Final[Codes] = {
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

"""The closed sets of words that stored events, search attributes, pages and the API share."""

from typing import Final, Literal

Stage = Literal[
    "sponsor_confirmation",
    "proof_of_entry",
    "security_vetting",
    "travel_authorization",
    "work_permit_eligibility",
    "closed",
]

WaitingOn = Literal[
    "sponsor",
    "entry_records",
    "applicant",
    "vetting",
    "officer",
    "place",
    "arrival",
    "work_permit_office",
    "parole_end",
    "programme",
]

Outcome = Literal[
    "completed",
    "not_confirmed",
    "ineligible",
    "denied",
    "duplicate",
    "withdrawn",
    "expired",
    "revoked",
    "refused_at_port",
    "terminated",
]

Rule = Literal[
    "supporter",
    "nationality",
    "sole-nationality",
    "passport-validity",
    "minor-guardian",
    "one-active-case",
    "mexico-entry",
    "irregular-entry",
    "removal-order",
    "vetting",
]
"""In the order they are tried; the first that fails gives the reason."""

Reason = Literal[
    "supporter",
    "nationality",
    "sole-nationality",
    "passport-validity",
    "minor-guardian",
    "one-active-case",
    "mexico-entry",
    "irregular-entry",
    "removal-order",
    "vetting",
    "evidence-deadline",
    "supporter-withdrew",
    "authorization-expired",
    "port-of-entry",
    "programme-terminated",
    "applicant-withdrew",
]

Question = Literal["supporter", "mexico-entry", "vetting"]
"""What a referral asks an officer: the rule whose answer is in doubt."""

Partner = Literal["sponsor_registry", "entry_records", "vetting", "work_permit_office"]

WorkPermit = Literal["applied", "eligible", "ineligible"]

DeadlineName = Literal[
    "evidence",
    "supporter",
    "referral",
    "authorization",
    "month",
    "parole-notice",
    "parole-end",
]

WAITING_ON_PARTNER: Final[dict[Partner, WaitingOn]] = {
    "sponsor_registry": "sponsor",
    "entry_records": "entry_records",
    "vetting": "vetting",
    "work_permit_office": "work_permit_office",
}

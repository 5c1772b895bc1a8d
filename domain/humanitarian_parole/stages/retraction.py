"""What partners and the border reported may be taken back by them."""

from domain.kernel.definition import Stage, message
from domain.kernel.messages import Retraction
from domain.kernel.taking_back import retract, said


class FactRetraction(Retraction):
    """Who reported something takes it back."""

    SENDERS = ("border", "sponsor_registry", "entry_records", "vetting")


STAGE = Stage(
    name=None,
    messages=(
        message(
            FactRetraction,
            retract,
            "Who reported something takes it back: it counts nowhere, and a case that closed for it opens again.",
            {"of": "m-1", "source": "border"},
            said=said(FactRetraction),
            after_close=True,
        ),
    ),
)

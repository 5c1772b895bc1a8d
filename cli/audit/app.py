"""`passage audit`: what an auditor asks of the log."""

import typer

from cli.audit.export import export
from cli.audit.reconcile import reconcile_cases
from cli.audit.replay import replay_case
from cli.audit.verify import print_checkpoint, verify_log
from cli.audit.whatif import what_if

app = typer.Typer(help="The log as an auditor sees it: what happened, why, and that it is whole.", no_args_is_help=True)
app.command("verify")(verify_log)
app.command("checkpoint")(print_checkpoint)
app.command("replay")(replay_case)
app.command("export")(export)
app.command("what-if")(what_if)
app.command("reconcile")(reconcile_cases)

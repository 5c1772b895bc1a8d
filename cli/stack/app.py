"""The commands that start servers of their own, and those for them: they need the `embedded` extra."""

import typer

from cli.stack import bench, demo, simulate, token, up

app = typer.Typer()
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("token")(token.token)
app.command("simulate")(simulate.simulate)
app.command("bench")(bench.bench)

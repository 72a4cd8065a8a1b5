"""The command line: one group per thing it operates on, and what other distributions add."""

from importlib.metadata import entry_points

import typer

from countersign_cli.commands import audit, connections, drafts, exports, keys
from countersign_cli.commands.connectors import connectors
from countersign_cli.commands.demo import demo
from countersign_cli.commands.migrate import migrate
from countersign_cli.commands.token import token
from countersign_cli.commands.up import up

app = typer.Typer(
    name="countersign",
    help="The last human checkpoint between a draft order and the ERP.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(up)
app.command()(demo)
app.command()(migrate)
app.command()(token)
app.command()(connectors)
app.add_typer(drafts.app, name="drafts")
app.add_typer(exports.app, name="exports")
app.add_typer(connections.app, name="connections")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
# Such as `chaos`, which is there in a development checkout only.
for command in entry_points(group="countersign.commands"):
    app.command(name=command.name)(command.load())

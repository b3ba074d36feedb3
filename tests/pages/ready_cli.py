"""The installed AWS CLI, started once: every command of a page is a fork of it, not a new interpreter that imports it.

A command is the same code with its own arguments, environment, folder and files; it only begins a second sooner.
"""

import subprocess
import textwrap
from contextlib import contextmanager
from pathlib import Path

_SERVER = """
import json, os, signal, socket, sys
given = dict(os.environ)
import awscli.clidriver
awscli.clidriver.create_clidriver()._get_command_table()
own = {name: value for name, value in os.environ.items() if given.get(name) != value}  # where its data is

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
listener.settimeout(1)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    try:
        connection, _ = listener.accept()
    except socket.timeout:
        continue
    if os.fork():
        connection.close()
        continue
    listener.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not text.endswith(b"\\n"):
        text += connection.recv(1 << 20)
    asked = json.loads(text)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"] | own)
    os.chdir(asked["folder"])
    sys.argv = ["aws", *asked["arguments"]]
    code = 255
    try:
        code = awscli.clidriver.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 255
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(bytes([(code or 0) & 255]))
        os._exit(0)
"""
_CLIENT = """\
#!{python} -IS
import _socket, array, json, os, sys
server = _socket.socket(_socket.AF_UNIX)
server.connect({address!r})
asked = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
text = json.dumps(asked).encode() + b"\\n"
files = array.array("i", [0, 1, 2])
sent = server.sendmsg([text], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
while sent < len(text):
    sent += server.send(text[sent:])
sys.exit((server.recv(1) or b"\\xff")[0])
"""


@contextmanager
def ready_cli(installed: Path, folder: Path):
    """A folder for PATH with the command ``aws``; the installed one's own where that is no script of Python.

    Parameters
    ----------
    installed
        The AWS CLI.
    folder
        Where the command and the server's address are made.
    """
    with installed.open("rb") as file:
        first = file.readline().decode(errors="replace")
    python = first.removeprefix("#!").split()[0] if first.startswith("#!") and "python" in first else ""
    if not python:
        yield installed.parent
        return
    folder.mkdir()
    address = str(folder / "socket")
    command = folder / "aws"
    command.write_text(_CLIENT.format(python=python, address=address))
    command.chmod(0o755)
    program = [python, "-c", textwrap.dedent(_SERVER), address]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield folder
        finally:
            server.terminate()

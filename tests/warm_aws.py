"""The AWS CLI, imported once: tests call `aws` hundreds of times, and most of such a call is importing it.

    launcher of a lab ──arguments, folder, variables, streams──> server ──fork──> a process that is `aws`

`warm()` makes it the `aws` of the labs that start meanwhile. The server is a process of its own, without threads, so
that it may fork. Whatever is about how `aws` starts needs the real launcher.
"""

import contextlib
import marshal
import os
import select
import signal
import socket
import sys


def call(address: str, *arguments: str) -> int:
    """Let the server run `aws`, and return its exit status; imports nothing that takes time."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(marshal.dumps((arguments, os.getcwd(), dict(os.environ))))  # noqa: PTH109
        server.shutdown(socket.SHUT_WR)
        return int(server.recv(10) or 1)


def serve(address: str) -> None:
    import functools
    import gc

    import awscli.clidriver
    from botocore.loaders import JSONFileLoader

    # Each call reads ECR's model anew, but not its files.
    JSONFileLoader.load_file = functools.cache(JSONFileLoader.load_file)
    awscli.clidriver.create_clidriver().session.create_client("ecr", "us-east-1")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        # The other end of the input closes when the tests end, however they do.
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            client, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                status = _be_aws(client)
                client.sendall(str(status).encode())
                os._exit(0)
            client.close()


def _be_aws(client: socket.socket) -> int:
    import importlib
    import time

    import awscli.clidriver
    from awscli.customizations import assumerole

    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    with client.makefile("rb") as request:
        arguments, folder, variables = marshal.load(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    importlib.reload(awscli)  # it sets a variable
    assumerole.CACHE_DIR = os.path.expanduser("~/.aws/cli/cache")  # noqa: PTH111 - of this lab's home
    sys.argv = ["aws", *arguments]
    try:
        status = awscli.clidriver.main()
    except SystemExit as ended:
        status = ended.code
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    return status or 0


@contextlib.contextmanager
def warm():
    import subprocess
    import tempfile
    from unittest import mock

    from ecrlab.machine import launchers

    with tempfile.TemporaryDirectory(prefix="aws-") as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-P", __file__, "serve", address]
        home = {**os.environ, "HOME": folder}
        with subprocess.Popen(command, env=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            server.stdout.readline()
            with mock.patch.object(launchers, "AWS_CLI", ("-P", "-S", __file__, "call", address)):
                yield


if __name__ == "__main__":
    _, verb, address, *arguments = sys.argv
    sys.exit(call(address, *arguments) if verb == "call" else serve(address))

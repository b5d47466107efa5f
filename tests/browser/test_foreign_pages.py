"""Pages of another origin, and a file, in a real browser: they change nothing in a lab and read nothing of it."""

import functools
import http.server
import json
import threading

import pytest

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import client_of

pytestmark = [pytest.mark.browser, pytest.mark.client("chromium")]

SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20261001/us-east-1/SERVICE/aws4_request, SignedHeaders=host"

ATTACK = """<!doctype html><meta charset="utf-8"><body><form id="form" method="post" target="frame"></form>
<iframe name="frame"></iframe><iframe name="stored"></iframe><script>
const lab = ENDPOINT, signed = SIGNED, read = [];
const form = "application/x-www-form-urlencoded";
const ask = async (what, path, options) => {
    try {
        const answer = await fetch(lab + path, options), text = await answer.text();
        if (text) read.push([what, answer.status, text.slice(0, 200)]);
    } catch (refused) { /* as it should be */ }
};
const service = name => ({ Authorization: signed.replace("SERVICE", name) });
const api = "AmazonEC2ContainerRegistry_V20150921.";
const target = operation => ({ ...service("ecr"), "X-Amz-Target": api + operation });
(async () => {
    for (const mode of ["cors", "no-cors"]) {
        await ask("create", "/", { mode, method: "POST", headers: target("CreateRepository"),
                                   body: '{"repositoryName": "evil"}' });
        await ask("delete", "/", { mode, method: "POST", headers: target("DeleteRepository"),
                                   body: '{"repositoryName": "kept", "force": true}' });
        await ask("key", "/", { mode, method: "POST", headers: { ...service("iam"), "Content-Type": form },
                                body: "Action=CreateUser&UserName=evil&Version=2010-05-08" });
        await ask("user", "/?host=iam", { mode, method: "POST", headers: { "Content-Type": form },
                                          body: "Action=CreateUser&UserName=evil&Version=2010-05-08" });
        await ask("bucket", "/evil", { mode, method: "PUT", headers: service("s3") });
        await ask("clock", "/_ecrlab/clock?seconds=864000", { mode, method: "POST", headers: { "X-Ecrlab": "1" } });
        await ask("time", "/_ecrlab/clock", { mode });
        await ask("catalog", "/v2/_catalog", { mode, headers: { Authorization: "Basic " + btoa("AWS:x") } });
        await ask("secret", "/pages/stored.html", { mode });
    }
    const element = document.getElementById("form");
    element.action = lab + "/";
    element.innerHTML = '<input name="Action" value="CreateUser"><input name="UserName" value="evil">';
    element.submit();
    frames.stored.location = lab + "/pages/stored.html";
    await new Promise(done => setTimeout(done, 1000));
    document.title = JSON.stringify(read);
})();
</script>"""


@pytest.fixture
def server(tmp_path):
    world = World(tmp_path / "state", seed="test", durable=False)
    server = Server(world)
    yield server
    server.stop()
    world.close()


@pytest.fixture
def elsewhere(tmp_path):
    """A folder, and the address at which a web server of another site shows it."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield folder, site.server_port
    site.shutdown()
    site.server_close()


@pytest.mark.parametrize("origin", ["another site", "another port", "a file"])
def test_a_foreign_page_changes_nothing_and_reads_nothing(server, elsewhere, page, origin):
    # given a lab with a repository, and a page that its owner has stored in it
    folder, port = elsewhere
    ecr, s3, iam = (client_of(server.endpoint, service) for service in ("ecr", "s3", "iam"))
    ecr.create_repository(repositoryName="kept")
    s3.create_bucket(Bucket="pages")
    script = f"<script>fetch({server.endpoint!r} + '/evil', {{method: 'PUT'}})</script>"
    s3.put_object(Bucket="pages", Key="stored.html", Body=script, ContentType="text/html", ACL="public-read")
    users = iam.list_users()["Users"]
    time = server.aws.world.clock.now()
    # when the browser shows the attacking page
    attack = ATTACK.replace("ENDPOINT", json.dumps(server.endpoint)).replace("SIGNED", json.dumps(SIGNED))
    (folder / "index.html").write_text(attack)
    page.goto(
        {
            "another site": f"http://localhost:{port}/",
            "another port": f"http://127.0.0.1:{port}/",
            "a file": (folder / "index.html").as_uri(),
        }[origin]
    )
    page.wait_for_function("document.title !== ''", timeout=30_000)
    # then it has read nothing
    assert json.loads(page.title()) == []
    # and nothing has changed
    assert [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]] == ["kept"]
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["pages"]
    assert iam.list_users()["Users"] == users
    assert server.aws.world.clock.now() == time

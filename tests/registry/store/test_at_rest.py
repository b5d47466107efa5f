"""What lies on the disk is listed as it is, without a key."""

from ecrlab.registry import repositories
from ecrlab.registry.store.at_rest import stored_objects
from ecrlab.registry.store.encryption import NONCE, SEGMENT, TAG
from tests.registry.kms import ENCRYPTED, KEY, Kms

LAYER = b"a line of text\n" * 10_000


def test_objects_of_an_encrypted_repository_tell_their_key_and_take_more_bytes(registry, world, client_for):
    world.keys = kms = Kms()
    repositories.create(registry, "secret", ENCRYPTED)
    client_for(registry, "secret").push(LAYER, tag="v1")
    kms.calls.clear()

    manifest, config, layer = stored_objects(registry, "secret")

    assert [one.kind for one in (manifest, config, layer)] == ["manifest", "config", "layer"]
    assert {one.header.kms_key for one in (manifest, config, layer)} == {KEY}
    assert layer.size == len(LAYER)
    assert layer.stored == layer.header.size + len(LAYER) + (len(LAYER) // SEGMENT + 1) * (NONCE + TAG)
    assert layer.stored == layer.path.stat().st_size
    assert layer.path.read_bytes().endswith(layer.sample) and b"a line of text" not in layer.sample
    assert manifest.path == world.store.path
    assert kms.calls == []


def test_objects_of_another_repository_are_what_was_pushed(app, registry):
    image = app.push(LAYER, tag="v1")

    manifest, config, layer = stored_objects(registry, "app")

    assert [one.header for one in (manifest, config, layer)] == [None, None, None]
    assert layer.sample == LAYER and layer.stored == layer.size == len(LAYER)
    assert manifest.sample == app.find(image.digest).body


def test_a_layer_without_a_file_is_left_out(app, registry, world):
    app.push(LAYER, tag="v1")
    (path,) = [one.path for one in stored_objects(registry, "app") if one.kind == "layer"]
    path.unlink()

    assert [one.kind for one in stored_objects(registry, "app")] == ["manifest", "config"]

"""doctor decrypts with the keys of the folder, also with disabled ones."""

from hashlib import sha256

from ecrlab.commands import doctor


def test_doctor_finds_a_flipped_bit_though_the_key_is_disabled(lab):
    key = lab.key()["KeyId"]
    lab.create(key=key).push(b"layer", tag="v1")
    lab.kms.disable_key(KeyId=key)
    lab.stop()
    assert [finding.grade for finding in doctor.state_directory(lab.directory)] == ["ok"]

    (path,) = lab.directory.glob(f"blobs/sha256/*/{sha256(b'layer').hexdigest()}.*")
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    (finding,) = doctor.state_directory(lab.directory)
    lab.start()
    assert finding.grade == "WRONG" and "segment 0 is not the one that was written" in finding.text

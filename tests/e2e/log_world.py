"""What tests of the signed log's proofs share: a sealing gateway, and the other side of every proof, written from
docs/log-format.md and RFC 6962 in a few lines."""

import base64
import hashlib
import json

from harness import BIN, run, wait_until


def keys_folder(folder):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def add_key(world, platform, folder, **options):
    """A key for the platform's book; returns its public half as PEM, as an auditor is given it."""
    words = [w for k, v in options.items() for w in ("--" + k.replace("_", "-"), v)]
    world.gateway.ujrat("log", "key", "add", platform.code, "--keys", folder, *words, "--quiet")
    return run(BIN / "ujrat", "log", "key", "export", platform.code, "--db", world.database.uri("ujrat_operator"))


def blocks(world, platform):
    return world.value("SELECT next_block - 1 FROM book_head JOIN book USING (book_id) WHERE code = %s", platform.code)


def until_sealed(world, platform):
    """All that is committed now."""
    committed = blocks(world, platform)
    wait_until(lambda: world.value("SELECT coalesce(max(block_no), 0) FROM block_seal JOIN book USING (book_id) "
                                   "WHERE code = %s", platform.code) >= committed, 20, "the sealer")
    return committed


# ---------------------------------------------------------------- hashes
def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(record):
    return sha256(b"\0" + record)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def hashes(path):
    assert len(path) % 32 == 0
    return [path[i:i + 32] for i in range(0, len(path), 32)]


def root_of_inclusion(leaf, index, size, path):
    """Where the path of RFC 6962 section 2.1.1 leads, followed from the root downwards to know on which side we are."""
    sides, begin, end = [], 0, size
    while end - begin > 1:
        k = 1
        while k * 2 < end - begin:
            k *= 2
        sides.append(index < begin + k)
        begin, end = (begin, begin + k) if index < begin + k else (begin + k, end)
    assert len(sides) == len(path), "a path of another tree"
    for left, other in zip(reversed(sides), path):
        leaf = node_hash(leaf, other) if left else node_hash(other, leaf)
    return leaf


def roots_of_consistency(old, new, old_root, path):
    """The two roots that the proof of RFC 6962 section 2.1.2 leads to, by its recursion SUBPROOF."""
    path = list(path)

    def climb(m, n, whole):
        if m == n:
            got = old_root if whole else path.pop(0)
            return got, got
        k = 1
        while k * 2 < n:
            k *= 2
        if m <= k:
            before, after = climb(m, k, whole)
            return before, node_hash(after, path.pop(0))
        before, after = climb(m - k, n - k, False)
        left = path.pop(0)
        return node_hash(left, before), node_hash(left, after)

    found = climb(old, new, True)
    assert not path
    return found


# ---------------------------------------------------------------- records
def fields(record):
    """The fields of a record; None for one that is absent."""
    found, at = [], 0
    while at < len(record):
        length = record[at:at + 4]
        assert len(length) == 4
        at += 4
        if length == b"\xff\xff\xff\xff":
            found.append(None)
            continue
        n = int.from_bytes(length, "big")
        assert at + n <= len(record)
        found.append(record[at:at + n])
        at += n
    return found


def number(field):
    assert len(field) == 8
    return int.from_bytes(field, "big", signed=True)


def signed(signed_record, public_key):
    """Asserts Ed25519 (RFC 8032) by the 32-byte key, with a library that is not ours."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(public_key).verify(signed_record.signature, signed_record.record)


# ---------------------------------------------------------------- receipts
def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def head_line(receipt, **changes):
    """The line a witness would have written of the receipt's head."""
    head = fields(unbase64(receipt["tree_head"]["record"]))
    line = dict(book=head[1].decode(), tree_size=number(head[2]), root=head[3].hex(), signed_at=number(head[4]),
                key_id=receipt["tree_head"]["key_id"], signature=unbase64(receipt["tree_head"]["signature"]).hex())
    return json.dumps({**line, **changes})

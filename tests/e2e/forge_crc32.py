"""Makes a JSON body that says what one likes and has the CRC32 of another: why PayPal's signature proves nothing of a body."""
import zlib

ALPHABET = b"abcdefghijklmnop"


def forge(lie, truth):
    """`lie`, a JSON object, with one more member that makes its CRC32 that of `truth`. CRC32 is linear: each of 32 and more letters can be one of
    two, and which of them to choose is a system of linear equations over two elements."""
    n = 48
    head, tail = lie.rstrip()[:-1] + b',"x":"', b'"}'
    letters = bytearray(b"a" * n)
    crc = lambda: zlib.crc32(head + bytes(letters) + tail)
    base, wanted = crc(), zlib.crc32(truth)
    effects = []
    for i in range(n):
        letters[i] = ord("c")
        effects.append(crc() ^ base)
        letters[i] = ord("a")
    # elimination: each basis vector with the set of letters that makes it
    basis = {}
    for i, effect in enumerate(effects):
        chosen = 1 << i
        while effect:
            top = effect.bit_length()
            if top not in basis:
                basis[top] = effect, chosen
                break
            effect, chosen = effect ^ basis[top][0], chosen ^ basis[top][1]
    rest, chosen = wanted ^ base, 0
    while rest:
        effect, with_ = basis[rest.bit_length()]
        rest, chosen = rest ^ effect, chosen ^ with_
    for i in range(n):
        if chosen >> i & 1:
            letters[i] = ord("c")
    assert crc() == wanted
    return head + bytes(letters) + tail

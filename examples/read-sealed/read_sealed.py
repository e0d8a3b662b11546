#!/usr/bin/env python3
"""Reads a sealed recording file, written from docs/recording-format.md alone.

    read_sealed.py KEYS FILE.sealed > FILE       KEYS: the folder MASTER_KEY_PATH, or - for SIPREC_MASTER_KEY

Needs the package `cryptography` (Debian: python3-cryptography). Exit status 1, and nothing written, when the file
was changed or is not whole.
"""
import base64
import hashlib
import json
import os
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DATA, RESUME, END = 1, 2, 3


class Damaged(Exception):
    pass


def key_place(place):
    """(generation, JSON) of a key place, or None when nothing whole is there."""
    generation, length = struct.unpack_from("<II", place)
    if generation == 0 or 8 + length + 8 > len(place):
        return None
    if hashlib.sha256(place[: 8 + length]).digest()[:8] != place[8 + length : 16 + length]:
        return None
    return generation, json.loads(place[8 : 8 + length])


def master_key(name, keys):
    kind, _, rest = name.partition(":")
    if kind == "file" and keys != "-":
        with open(os.path.join(keys, f"master-{rest}.key")) as file:
            return base64.b64decode(file.read())
    if kind == "env":
        text = os.environ["SIPREC_MASTER_KEY"].strip()
        key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text)
        if hashlib.sha256(b"patchbay master key id" + key).hexdigest()[:16] == rest:
            return key
    raise Damaged(f"the master key {name} is not here")


def data_key(front, recording_id, keys):
    places = [key_place(front[at : at + 1792]) for at in (512, 2304)]
    found = sorted((place for place in places if place), key=lambda place: place[0])
    if not found:
        raise Damaged("no key place holds a key")
    wrapped = found[-1][1]
    beside = f"patchbay data key 1\n{wrapped['master']}\n{recording_id}".encode()
    aead = AESGCM(master_key(wrapped["master"], keys))
    return aead.decrypt(base64.b64decode(wrapped["nonce"]), base64.b64decode(wrapped["wrapped"]), beside)


def read_sealed(file, keys):
    """All bytes of the plain file."""
    if file[:8] != b"PBSEALED" or file[8] != 1:
        raise Damaged("no sealed file of version 1")
    head = file[:512]
    cipher = {1: AESGCM, 2: ChaCha20Poly1305}[head[9]]
    (length,) = struct.unpack_from("<H", head, 10)
    about = json.loads(head[48 : 48 + length])
    secret = data_key(file[:4096], about["recordingId"], keys)
    info = b"patchbay sealed file 1" + hashlib.sha256(head).digest()

    def aead(salt):
        return cipher(HKDF(SHA256(), 32, salt, info).derive(secret))

    key = aead(head[16:48])
    before = hashlib.sha256(head).digest()[:16]
    plain = bytearray()
    at = 4096
    number = 0
    while True:
        if at + 36 > len(file):
            raise Damaged("the file has no end")
        record = file[at : at + 20]
        kind, counted, position, length = struct.unpack("<IIQI", record)
        if counted != number:
            raise Damaged(f"record {counted} stands where record {number} belongs")
        sealed = file[at + 20 : at + 20 + length + 16]
        beside = before + record
        if kind == RESUME:
            salt, sealed = sealed[:length], sealed[length:]
            key = aead(salt)
            beside += salt
        text = key.decrypt(struct.pack("<I8x", number), sealed, beside)
        before = file[at + 20 + length : at + 36 + length]
        at += 36 + length
        number += 1
        if kind == DATA:
            plain.extend(bytes(max(0, position + length - len(plain))))
            plain[position : position + length] = text
        elif kind == END:
            if at != len(file):
                raise Damaged("something stands behind the end")
            plain.extend(bytes(max(0, position - len(plain))))
            return bytes(plain[:position])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], "rb") as sealed_file:
        content = sealed_file.read()
    try:
        sys.stdout.buffer.write(read_sealed(content, sys.argv[1]))
    except (Damaged, InvalidTag) as error:
        sys.exit(f"{sys.argv[2]}: {error or 'a tag does not fit'}")

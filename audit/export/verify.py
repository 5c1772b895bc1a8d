"""Verifies the export of one case. It needs Python 3.11 and `cryptography`, and reads nothing but the files given.

    python verify.py CASE.tar.gz [--key VERIFIER-KEY] [--checkpoint FILE]

VERIFIER-KEY is the log's key as you hold it, FILE a checkpoint of the log that you kept. Exit code 0: what is listed as
proved is proved. 1: it is not what was exported; the line says what differs. 2: wrong usage.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MANIFEST, SIGNATURE = "manifest.txt", "manifest.note"
_BYTES_MAX = 1_000_000_000


class AlteredError(Exception):
    """The archive is not what was exported. `code` names the kind of difference."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


def require(holds: object, code: str, why: str) -> None:
    """Raises AlteredError where it does not hold."""
    if not holds:
        raise AlteredError(code, why)


def _little(number: int, size: int) -> bytes:
    return number.to_bytes(size, "little")


def pack(files: dict[str, bytes]) -> bytes:
    """The one archive of these files: tar, in stored blocks of gzip, so that each of its bytes follows from them."""
    parts = []
    for name in sorted(files):
        fields = f"{name}\0".encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
        fields += f"{len(files[name]):011o}\0".encode() + b"00000000000\0"
        rest = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
        header = fields + b"%06o\0 " % (sum(fields) + 8 * 32 + sum(rest)) + rest
        parts += [header, files[name], bytes(-len(files[name]) % 512)]
    tar = b"".join([*parts, bytes(1024)])
    blocks = []
    for start in range(0, len(tar), 65535):
        block = tar[start : start + 65535]
        last = start + 65535 >= len(tar)
        blocks += [bytes([last]), _little(len(block), 2), _little(len(block) ^ 0xFFFF, 2), block]
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"".join(blocks) + _little(zlib.crc32(tar), 4) + _little(len(tar), 4)


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of an archive that `pack` made."""
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
            files = {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in tar if each.isreg()}
        whole = pack(files)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError):
        raise AlteredError("archive-altered", "it cannot be unpacked") from None
    require(whole == archive, "archive-altered", "a byte of it is not as it was packed")
    return files


def manifest_of(files: dict[str, bytes]) -> bytes:
    """A line a file, as `sha256sum` writes them, without the manifest and its signature."""
    listed = sorted((name, hashlib.sha256(files[name]).hexdigest()) for name in files.keys() - {MANIFEST, SIGNATURE})
    return "".join(f"{digest}  {name}\n" for name, digest in listed).encode()


def statement_of(case: str, manifest: bytes) -> str:
    """What the log's key signs of an export; no checkpoint can be taken for it, nor it for one."""
    return f"passage export\n{case}\n{hashlib.sha256(manifest).hexdigest()}\n"


def canonical(content: Any) -> bytes:
    """JSON with sorted keys and no whitespace."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def leaf_hash(entry: bytes, prefix: bytes = b"\0") -> bytes:
    """RFC 9162, section 2.1.1; with the prefix 0x01 that of an inner node, over its two hashes."""
    return hashlib.sha256(prefix + entry).digest()


def root_from(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2); None where it is none."""
    number, last, found = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for sibling in proof:
        if last == 0:
            return None
        if number & 1 or number == last:
            found = leaf_hash(sibling + found, b"\1")
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = leaf_hash(found + sibling, b"\1")
        number, last = number >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    """Whether the tree of `new` leaves begins with that of `old` leaves (RFC 9162, section 2.1.4.2)."""
    if not 0 < old <= new or (old < new) != bool(proof):
        return False
    if old == new:
        return old_root == new_root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old_found, new_found = leaf_hash(sibling + old_found, b"\1"), leaf_hash(sibling + new_found, b"\1")
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new_found = leaf_hash(new_found + sibling, b"\1")
        number, last = number >> 1, last >> 1
    return last == 0 and old_found == old_root and new_found == new_root


def signed_text(note: str, key: str, code: str) -> str:
    """The text of a note, if this key signed it; other lines are those of other keys and of witnesses."""
    text, blank, lines = note.rpartition("\n\n")
    name, key_id, material = key.split("+", 2)
    try:
        public, hint = base64.b64decode(material, validate=True), base64.b64encode(bytes.fromhex(key_id)).decode()[:5]
        line = next((each for each in lines.split("\n") if each.startswith(f"\u2014 {name} {hint}")), "  ").split(" ")
        signature = base64.b64decode(line[2], validate=True)
        require(blank and signature[:4].hex() == key_id, code, "not signed")
        require(base64.b64encode(signature).decode() == line[2], code, "the signature is written otherwise")
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], f"{text}\n".encode())
    except (InvalidSignature, ValueError, IndexError):
        raise AlteredError(code, "the signature does not verify") from None
    require(hashlib.sha256(f"{name}\n".encode() + public).hexdigest()[:8] == key_id, code, "the key has another id")
    return text + "\n"


def checkpoint_of(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint (c2sp.org/tlog-checkpoint) that this key signed."""
    origin, size, root = signed_text(note, key, "checkpoint-forged").split("\n")[:3]
    require(origin == key.split("+", 1)[0], "checkpoint-forged", "it is another log's")
    return int(size), base64.b64decode(root)


def read_events(files: dict[str, bytes], case: str) -> list[dict[str, Any]]:
    """The headers of the events, each in its place in the chain and true of its bodies."""
    headers, previous = [], bytes(32)
    for version, line in enumerate(files["events.jsonl"].splitlines(), start=1):
        event, where = json.loads(line), f"event {version}"
        header = base64.b64decode(event["header"])
        said = json.loads(header)
        plain = canonical(event) == line and canonical(said) == header
        require(plain, "event-altered", f"{where} is written otherwise")
        for part in ("public_body", "encrypted_body"):
            body = None if event[part] is None else hashlib.sha256(base64.b64decode(event[part])).hexdigest()
            require(said[f"{part}_sha256"] == body, "event-altered", f"the {part} of {where} is not the one hashed")
        require(leaf_hash(header).hex() == event["hash"], "event-altered", f"the hash of {where}")
        require(said["previous_hash"] == previous.hex(), "chain-broken", f"{where} does not follow the one before it")
        require((said["stream"], said["version"]) == (case, version), "event-moved", f"{where} is not in its place")
        headers.append({**said, "hash": event["hash"], "public": json.loads(base64.b64decode(event["public_body"]))})
        previous = leaf_hash(header)
    require(headers, "events-missing", "there are none")
    return headers


def check_schemas_and_rules(files: dict[str, bytes], headers: list[dict[str, Any]]) -> list[str]:
    """The digests of rule sets that are named and not there."""
    for name, content in files.items():
        if name.startswith("rules/"):
            digest = hashlib.sha256(content).hexdigest()
            require(name == f"rules/{digest}.json", "rules-altered", f"{name} has the digest {digest}")
    for said in headers:
        schema = json.loads(files.get(f"schemas/{said['type']}.v{said['schema_version']}.json", b"null"))
        require(schema, "schema-missing", f"of {said['type']}")
        known, needed = schema["public"]["properties"].keys(), set(schema["public"].get("required", ()))
        require(needed <= said["public"].keys() <= known, "schema-differs", f"event {said['version']}")
    digests = {said["rules_digest"] for said in headers if said["rules_digest"]}
    return sorted(digest for digest in digests if f"rules/{digest}.json" not in files)


def check_proofs(proof: dict[str, Any], key: str, headers: list[dict[str, Any]]) -> tuple[int, bytes, int]:
    """Inclusion of each event, completeness, consistency; the checkpoint's size and root, and how far the map goes."""
    size, root = checkpoint_of(proof["checkpoint"], key)
    require(len(proof["events"]) == len(headers), "proof-missing", "not one proof an event")
    for said, each in zip(headers, proof["events"], strict=True):
        found = root_from(each["index"], size, bytes.fromhex(said["hash"]), [bytes.fromhex(h) for h in each["proof"]])
        require(found == root, "not-included", f"event {said['version']} is not in the log of the checkpoint")
    seal = proof["map"]
    header = seal["header"].encode()
    found = root_from(seal["index"], size, leaf_hash(header), [bytes.fromhex(h) for h in seal["proof"]])
    require(found == root, "map-not-included", "the map is not in the log of the checkpoint")
    mapped, last = json.loads(header), headers[-1]
    require(mapped["kind"] == "map-seal" and canonical(mapped) == header, "map-altered", "it is no map")
    entry = f"{last['stream']}\n{last['version']}\n{last['hash']}\n".encode()
    path = [bytes.fromhex(h) for h in seal["entry_proof"]]
    found = root_from(seal["entry_index"], mapped["entries"], leaf_hash(entry), path)
    require(found == bytes.fromhex(mapped["root"]), "not-complete", "the map names another last event of the case")
    if proof["older"] is not None:
        old_size, old_root = checkpoint_of(proof["older"]["checkpoint"], key)
        path = [bytes.fromhex(h) for h in proof["older"]["proof"]]
        require(is_consistent(old_size, size, old_root, root, path), "not-consistent", "more than additions")
    return size, root, mapped["log_size"]


def check(archive: bytes, key: str | None = None, kept: str | None = None) -> tuple[list[str], list[str]]:
    """What is proved, and what is not. Raises AlteredError."""
    require(len(archive) <= _BYTES_MAX, "archive-altered", "it is larger than any case")
    try:
        return _check(archive, key, kept)
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise AlteredError("malformed", f"a part of it is missing or malformed ({type(error).__name__})") from None


def _check(archive: bytes, key: str | None, kept: str | None) -> tuple[list[str], list[str]]:
    files = unpack(archive)
    require(files.get(MANIFEST) == manifest_of(files), "manifest-differs", "a file is not the one listed")
    proof = json.loads(files["proof.json"])
    require(key is None or key.strip() == proof["key"], "another-key", "it is not signed by the key that you hold")
    own, case, note = proof["key"], proof["case"], files[SIGNATURE].decode()
    statement = signed_text(note, own, "signature-forged")
    only = statement == statement_of(case, files[MANIFEST]) and note.count("\n") == statement.count("\n") + 2
    require(only, "signature-forged", "another archive was signed, or there is more than one signature")
    headers = read_events(files, case)
    missing = check_schemas_and_rules(files, headers)
    size, root, mapped = check_proofs(proof, own, headers)
    proved = [
        f"all {len(headers)} events of {case} are as they were recorded: every column, both bodies, the order",
        f"each of them is in the log whose checkpoint has {size} entries and was signed by {own.split('+', 1)[0]}",
        f"the case is complete: as of the log's first {mapped} entries, event {len(headers)} is its last",
        "the rule sets here are those whose digests the decisions name",
        "every file of this archive is the one that was exported",
    ]
    unproved = [f"the rule set {digest}: it is not in the archive" for digest in missing]
    if proof["older"] is not None:
        older = checkpoint_of(proof["older"]["checkpoint"], own)
        proved.append(f"the log of {size} entries only adds to that of its checkpoint of {older[0]} entries")
        _compare_kept(kept, own, dict([older, (size, root)]), proved, unproved)
    if key is None:
        unproved.append(f"that the key is the log's: compare it with the one that you hold, or give --key\n    {own}")
    unproved += [
        "an event that was never appended, or was changed before its first seal, which takes a minute at most",
        f"what happened after the log's first {mapped} entries, and what is in the documents kept beside the log",
        "that what was recorded is true, or that the replay pages are read rightly: they are the exporter's reading",
    ]
    return proved, unproved


def _compare_kept(kept: str | None, key: str, known: dict[int, bytes], proved: list[str], unproved: list[str]) -> None:
    if kept is None:
        unproved.append("that nobody was shown another log: give a checkpoint that you kept, with --checkpoint")
        return
    size, root = checkpoint_of(kept, key)
    require(known.get(size, root) == root, "log-forked", f"your checkpoint of {size} entries has another root")
    told = proved if size in known else unproved
    told.append(f"that the log is the one whose checkpoint of {size} entries you kept")


def main(arguments: list[str]) -> int:
    """Check and say so."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify the export of one case, offline.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--key", help="the log's verifier key, as you hold it")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint of the log that you kept")
    asked = parser.parse_args(arguments)
    try:
        kept = None if asked.checkpoint is None else asked.checkpoint.read_text("utf-8")
        proved, unproved = check(asked.archive.read_bytes(), asked.key, kept)
    except OSError as error:
        sys.stderr.write(f"verify.py: {error.strerror}: {error.filename}\n")
        return 2
    except AlteredError as altered:
        sys.stdout.write(f"NOT VERIFIED  {altered}\n")
        return 1
    told = [*(f"  proved: {each}\n" for each in proved), *(f"  not proved: {each}\n" for each in unproved)]
    sys.stdout.write("".join(["VERIFIED\n", *told]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

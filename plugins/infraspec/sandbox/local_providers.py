"""What the providers random, tls, time, null, archive and local and `terraform_data` make: values, and nothing in AWS.

The values have the form that the provider's documentation gives them; they are invented for each sandbox, and no file
is written. Sources: Terraform Registry, hashicorp/random, hashicorp/tls, hashicorp/time, hashicorp/null,
hashicorp/archive and hashicorp/local; Terraform documentation, "The terraform_data managed resource type".
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Given: TypeAlias = Mapping[str, Any]
"""The values of a resource or data source, all of them known."""
_Made: TypeAlias = dict[str, Any]
_ALL_PUNCTUATION = "!@#$%&*()-_=+[]{}<>:?"
_ADJECTIVES = ("brave", "calm", "eager", "gentle", "humble", "noble", "quiet", "swift")
_ANIMALS = ("badger", "falcon", "heron", "lynx", "marten", "otter", "robin", "stoat")


def _bytes(given: Given, length: str) -> _Made:
    made = secrets.token_bytes(int(given[length]))
    return {"hex": made.hex(), "base64": base64.b64encode(made).decode()}


def _id(given: Given) -> _Made:
    made = secrets.token_bytes(int(given["byte_length"]))
    prefix = given.get("prefix") or ""
    url = base64.urlsafe_b64encode(made).decode().rstrip("=")
    forms = {
        "b64_url": url,
        "b64_std": base64.b64encode(made).decode(),
        "hex": made.hex(),
        "dec": str(int.from_bytes(made, "big")),
    }
    return {"id": url} | {name: f"{prefix}{text}" for name, text in forms.items()}


def _integer(given: Given) -> _Made:
    least, most = int(given["min"]), int(given["max"])
    made = least + secrets.randbelow(most - least + 1)
    return {"id": str(made), "result": made}


def _text(given: Given) -> _Made:
    """Return a text of the classes of letters that are asked for, with as many of each as it needs."""
    classes = {
        "upper": string.ascii_uppercase,
        "lower": string.ascii_lowercase,
        "numeric": string.digits,
        "special": given.get("override_special") or _ALL_PUNCTUATION,
    }
    meant = {name: letters for name, letters in classes.items() if given.get(name) is not False}
    needed = [
        secrets.choice(letters) for name, letters in meant.items() for _ in range(int(given.get(f"min_{name}") or 0))
    ]
    any_of = "".join(meant.values())
    others = [secrets.choice(any_of) for _ in range(int(given["length"]) - len(needed))]
    made = "".join(_shuffled([*needed, *others]))
    return {"id": made, "result": made}


def _password(given: Given) -> _Made:
    made = _text(given)
    return {**made, "id": "none", "bcrypt_hash": f"$2a$10${secrets.token_hex(27)[:53]}"}


def _pet(given: Given) -> _Made:
    length, between = int(given.get("length") or 2), given.get("separator")
    words = [secrets.choice(_ADJECTIVES) for _ in range(length - 1)] + [secrets.choice(_ANIMALS)]
    prefix = [given["prefix"]] if given.get("prefix") else []
    return {"id": ("-" if between is None else between).join([*prefix, *words])}


def _shuffle(given: Given) -> _Made:
    parts = list(given.get("input") or ())
    most = len(parts) if given.get("result_count") is None else int(given["result_count"])
    rounds = -(-most // len(parts)) if parts else 0
    return {"id": "-", "result": [one for _ in range(rounds) for one in _shuffled(parts)][:most]}


def _shuffled(parts: list[Any]) -> list[Any]:
    return sorted(parts, key=lambda _: secrets.randbits(64))


def _uuid(_: Given) -> _Made:
    made = str(uuid.uuid4())
    return {"id": made, "result": made}


def _private_key(given: Given) -> _Made:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - few plans have a key
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415

    curves: dict[str, Callable[[], ec.EllipticCurve]] = {
        "P224": ec.SECP224R1,
        "P256": ec.SECP256R1,
        "P384": ec.SECP384R1,
        "P521": ec.SECP521R1,
    }
    key: Any
    match given.get("algorithm"):
        case "ED25519":
            key = ed25519.Ed25519PrivateKey.generate()
        case "ECDSA":
            key = ec.generate_private_key(curves[given.get("ecdsa_curve") or "P224"]())
        case _:
            key = rsa.generate_private_key(65537, int(given.get("rsa_bits") or 2048))
    plain, pkcs8 = form.NoEncryption(), form.PrivateFormat.PKCS8
    own = pkcs8 if given.get("algorithm") == "ED25519" else form.PrivateFormat.TraditionalOpenSSL
    return {
        "private_key_pem": key.private_bytes(form.Encoding.PEM, own, plain).decode(),
        "private_key_pem_pkcs8": key.private_bytes(form.Encoding.PEM, pkcs8, plain).decode(),
        "private_key_openssh": _openssh(
            lambda: key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, plain)
        ),
        **_public(key),
    }


def _public(key: Any) -> _Made:
    """Return what is told of a private key to everybody."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    public = key.public_key()
    pem = public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    ssh = _openssh(lambda: public.public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH))
    blob = base64.b64decode(ssh.split()[1]) if ssh else b""
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return {
        "id": hashlib.sha1(pem, usedforsecurity=False).hexdigest(),
        "public_key_pem": pem.decode(),
        "public_key_openssh": f"{ssh}\n" if ssh else "",
        "public_key_fingerprint_md5": ":".join(md5[at : at + 2] for at in range(0, 32, 2)) if ssh else "",
        "public_key_fingerprint_sha256": f"SHA256:{sha256}" if ssh else "",
    }


def _openssh(written: Callable[[], bytes]) -> str:
    """Return a key as OpenSSH has it; it has none of the curve P224."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        return written().decode()
    except (UnsupportedAlgorithm, ValueError):
        return ""


def _loaded(pem: str) -> Any:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    load = form.load_ssh_private_key if "OPENSSH" in pem else form.load_pem_private_key
    return load(pem.encode(), password=None)


def _public_of(given: Given) -> _Made:
    pem = given.get("private_key_pem") or given["private_key_openssh"]
    return _public(_loaded(pem)) | {"algorithm": _algorithm(_loaded(pem))}


def _algorithm(key: Any) -> str:
    name = type(key).__name__.lower()
    return "RSA" if "rsa" in name else "ED25519" if "ed25519" in name else "ECDSA"


_SUBJECT = {
    "common_name": "COMMON_NAME",
    "organization": "ORGANIZATION_NAME",
    "organizational_unit": "ORGANIZATIONAL_UNIT_NAME",
    "country": "COUNTRY_NAME",
    "province": "STATE_OR_PROVINCE_NAME",
    "locality": "LOCALITY_NAME",
}


def _named(given: Given) -> Any:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    said: Mapping[str, str] = next(iter(given.get("subject") or ()), {})
    return x509.Name(
        [x509.NameAttribute(getattr(NameOID, oid), said[name]) for name, oid in _SUBJECT.items() if said.get(name)]
    )


def _request(given: Given) -> _Made:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    key = _loaded(given["private_key_pem"])
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named(given))
    if names := [x509.DNSName(name) for name in given.get("dns_names") or ()]:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    pem = builder.sign(key, _hash(key)).public_bytes(form.Encoding.PEM).decode()
    return {"id": _short(pem), "cert_request_pem": pem, "key_algorithm": _algorithm(key)}


def _hash(key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    return None if _algorithm(key) == "ED25519" else hashes.SHA256()


def _short(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _self_signed(given: Given) -> _Made:
    key = _loaded(given["private_key_pem"])
    return _certificate(given, key, key.public_key(), _named(given), _named(given))


def _locally_signed(given: Given) -> _Made:
    from cryptography import x509  # noqa: PLC0415

    request = x509.load_pem_x509_csr(given["cert_request_pem"].encode())
    signer = x509.load_pem_x509_certificate(given["ca_cert_pem"].encode())
    key = _loaded(given["ca_private_key_pem"])
    return _certificate(given, key, request.public_key(), request.subject, signer.subject)


def _certificate(given: Given, key: Any, public: Any, subject: Any, issuer: Any) -> _Made:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    start = datetime.now(UTC).replace(microsecond=0)
    end = start + timedelta(hours=int(given["validity_period_hours"]))
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(), start, end)
    is_authority = bool(given.get("is_ca_certificate"))
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    if names := [x509.DNSName(name) for name in given.get("dns_names") or ()]:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    pem = builder.sign(key, _hash(key)).public_bytes(form.Encoding.PEM).decode()
    times = {"validity_start_time": _rfc3339(start), "validity_end_time": _rfc3339(end)}
    return {"id": _short(pem), "cert_pem": pem, "key_algorithm": _algorithm(key), "ready_for_renewal": False, **times}


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.now(UTC).replace(microsecond=0)


def _told(moment: datetime) -> _Made:
    at = moment.astimezone(UTC)
    parts = {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")}
    return {**parts, "rfc3339": _rfc3339(at), "unix": int(at.timestamp())}


def _static(given: Given) -> _Made:
    moment = _moment(given.get("rfc3339"))
    return {"id": _rfc3339(moment), **_told(moment)}


def _later(moment: datetime, given: Given, prefix: str) -> datetime:
    """Return a moment, moved by the years, months, days, hours, minutes and seconds that are given."""
    by = {
        name: int(given.get(f"{prefix}{name}") or 0)
        for name in ("years", "months", "days", "hours", "minutes", "seconds")
    }
    years, month = divmod(moment.month - 1 + by.pop("months"), 12)
    first = moment.replace(year=moment.year + by.pop("years") + years, month=month + 1, day=1)
    return first + timedelta(days=moment.day - 1) + timedelta(**by)


def _offset(given: Given) -> _Made:
    base = _moment(given.get("base_rfc3339"))
    return {"id": _rfc3339(base), "base_rfc3339": _rfc3339(base), **_told(_later(base, given, "offset_"))}


def _rotating(given: Given) -> _Made:
    base = _moment(given.get("rfc3339"))
    end = given.get("rotation_rfc3339") or _rfc3339(_later(base, given, "rotation_"))
    return {"id": _rfc3339(base), **_told(base), "rotation_rfc3339": end}


def _sleep(_: Given) -> _Made:
    return {"id": _rfc3339(datetime.now(UTC))}


def _null(_: Given) -> _Made:
    return {"id": str(secrets.randbits(63))}


def _data(given: Given) -> _Made:
    return {"id": str(uuid.uuid4()), "output": given.get("input")}


def _sums(content: bytes, prefix: str) -> Iterator[tuple[str, str]]:
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, content, usedforsecurity=False)
        yield f"{prefix}{name}", digest.hexdigest()
        if name.startswith("sha") and name != "sha1":
            yield f"{prefix}base64{name}", base64.b64encode(digest.digest()).decode()


def _file(given: Given) -> _Made:
    text = given.get("content") or given.get("sensitive_content")
    content = base64.b64decode(given.get("content_base64") or "") if text is None else str(text).encode()
    return {"id": hashlib.sha1(content, usedforsecurity=False).hexdigest(), **dict(_sums(content, "content_"))}


def _archive(given: Given) -> _Made:
    """Return the sums of an archive that is not written: they stand for what it is made of."""
    content = repr(sorted((name, str(value)) for name, value in given.items())).encode()
    sums = dict(_sums(content, "output_"))
    return {"id": sums["output_sha1"], "output_size": len(content), **sums}


RESOURCES: Mapping[str, Callable[[Given], _Made]] = {
    "random_bytes": lambda given: _bytes(given, "length"),
    "random_id": _id,
    "random_integer": _integer,
    "random_password": _password,
    "random_pet": _pet,
    "random_shuffle": _shuffle,
    "random_string": _text,
    "random_uuid": _uuid,
    "tls_private_key": _private_key,
    "tls_cert_request": _request,
    "tls_self_signed_cert": _self_signed,
    "tls_locally_signed_cert": _locally_signed,
    "time_static": _static,
    "time_offset": _offset,
    "time_rotating": _rotating,
    "time_sleep": _sleep,
    "null_resource": _null,
    "terraform_data": _data,
    "archive_file": _archive,
    "local_file": _file,
    "local_sensitive_file": _file,
}
"""By type, what a resource has beside its values when it is created."""
DATA: Mapping[str, Callable[[Given], _Made]] = {"archive_file": _archive, "tls_public_key": _public_of}
"""By type, what a data source returns beside its values, if that depends on these alone."""

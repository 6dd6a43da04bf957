"""Time-stamping authorities made with the openssl program.

`openssl ts -reply` knows only the time of this moment and only decent certificates. A token of another time, or one by a
certificate that no authority should have, is made with `openssl cms` over a TSTInfo of our own (RFC 3161, section 2.4.2)."""

import datetime
import hashlib
import os
import subprocess

CONFIG = """[ca]
default_ca=x
[x]
database=index.txt
new_certs_dir=.
serial=serial
default_md=sha256
policy=p
unique_subject=no
[p]
commonName=supplied
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[intermediate]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[other_ca]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign
extendedKeyUsage=codeSigning
[stamping_ca]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign
extendedKeyUsage=timeStamping
[no_ca]
basicConstraints=critical,CA:false
[signer]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[not_critical]
basicConstraints=critical,CA:false
extendedKeyUsage=timeStamping
[two_purposes]
basicConstraints=critical,CA:false
extendedKeyUsage=critical,timeStamping,codeSigning
[other_usage]
basicConstraints=critical,CA:false
keyUsage=critical,keyEncipherment
extendedKeyUsage=critical,timeStamping
[strange]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
1.3.6.1.4.1.99999.2=critical,ASN1:NULL
[no_signing_ca]
basicConstraints=critical,CA:true
keyUsage=critical,digitalSignature
[no_purpose]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
[tsa]
default_tsa=t
[older]
serial=tsa_serial
crypto_device=builtin
signer_digest=sha256
default_policy=1.3.6.1.4.1.99999.1
digests=sha256
ess_cert_id_alg=sha1
[t]
serial=tsa_serial
crypto_device=builtin
signer_digest=sha256
default_policy=1.3.6.1.4.1.99999.1
digests=sha256
ess_cert_id_alg=sha256
ess_cert_id_chain=yes
accuracy=secs:1,millisecs:500
ordering=yes
tsa_name=yes
clock_precision_digits=3
"""

P256, P384 = (f"ec -pkeyopt ec_paramgen_curve:P-{bits}" for bits in (256, 384))


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def sizes(value):
    """Of the head and of the content of the first value there."""
    head, size = 2, value[1]
    if size & 0x80:
        head = 2 + (size & 0x7F)
        size = int.from_bytes(value[2:head], "big")
    return head, size


def parts(value):
    """The values in a value, each whole."""
    found, rest = [], value[sizes(value)[0] :]
    while rest:
        end = sum(sizes(rest))
        found.append(rest[:end])
        rest = rest[end:]
    return found


def naming_hashes(response, *algorithms):
    """A response whose token names other hashes in front, which nothing signs (RFC 5652, section 5.1)."""
    granted, token = parts(response)
    kind, wrapped = parts(token)
    (signed,) = parts(wrapped)
    version, _, *rest = parts(signed)
    return der(0x30, granted, der(0x30, kind, der(0xA0, der(0x30, version, der(0x31, *algorithms), *rest))))


def status(number):
    """PKIStatusInfo (RFC 3161, section 2.4.2)."""
    return der(0x30, der(2, bytes([number])))


SHA256 = der(0x30, bytes.fromhex("0609608648016503040201"), der(5))
SHA1, SHA512 = (der(0x30, bytes.fromhex(oid)) for oid in ("06052b0e03021a", "0609608648016503040203"))
POLICY = bytes.fromhex("06092b06010401868d1f01")


def extension(critical):
    """One that nobody knows, as the extensions of a TSTInfo."""
    oid = bytes.fromhex("06092b06010401868d1f02")
    return der(0xA1, der(0x30, oid, *([der(1, b"\xff")] if critical else []), der(4, der(5))))


def tst_info(data, time, *more):
    imprint = der(0x30, SHA256, der(4, hashlib.sha256(data).digest()))
    when = der(0x18, time.strftime("%Y%m%d%H%M%SZ").encode())
    return der(0x30, der(2, b"\1"), POLICY, imprint, der(2, b"\7"), when, *more)


class Workshop:
    """A folder with keys and certificates; `issue` makes one, `ts` and `cms` use them."""

    def __init__(self, folder, now):
        self.folder, self.now = folder, now
        for name, text in [("ca.cnf", CONFIG), ("index.txt", ""), ("serial", "1000\n"), ("tsa_serial", "01\n")]:
            self.write(name, text.encode())

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def openssl(self, command):
        done = subprocess.run(["openssl", *command.split()], cwd=self.folder, capture_output=True)
        if done.returncode:
            raise SystemExit(f"openssl {command}: {done.stderr.decode()}")

    def issue(self, name, common_name, kind, by=None, key="rsa:2048", days=(-30, 3650)):
        """A certificate with a key of its own, good between these days from now."""
        self.openssl(f"req -new -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={common_name}")
        start, end = ((self.now + datetime.timedelta(days=d)).strftime("%Y%m%d%H%M%SZ") for d in days)
        signer = f"-cert {by}.pem -keyfile {by}.key" if by else f"-selfsign -keyfile {name}.key"
        self.openssl(
            f"ca -batch -notext -config ca.cnf -extensions {kind} {signer} "
            f"-in {name}.csr -out {name}.pem -startdate {start} -enddate {end}"
        )

    def chain(self, *names):
        return b"".join(self.read(name + ".pem") for name in names)

    def ts(self, signer, data, section="t"):
        """A response as an authority gives it, of this moment; `older` names its certificate by SHA-1 (RFC 2634)."""
        self.write("data", data)
        self.openssl("ts -query -data data -sha256 -cert -out query.tsq")
        self.openssl(f"ts -reply -config ca.cnf -section {section} -queryfile query.tsq -signer {signer}.pem -inkey {signer}.key -out reply.tsr")
        return self.read("reply.tsr")

    def cms(self, signer, data, time, granted=0, content=None, enclosed=True):
        """A response of any time by any certificate, which the token encloses or not."""
        self.write("tst", tst_info(data, time) if content is None else content)
        self.openssl(
            f"cms -sign -binary -nodetach -cades -md sha256 -in tst -econtent_type 1.2.840.113549.1.9.16.1.4 "
            f"-signer {signer}.pem -inkey {signer}.key {'' if enclosed else '-nocerts '}-outform DER -out token"
        )
        return der(0x30, status(granted), self.read("token"))

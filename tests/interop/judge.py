#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge.py DOCUMENT TOKEN AUDIENCE: other people's libraries verify our token with the certificate from our own document."""
import base64
import json
import sys

import jwt
from cryptography import x509
from jwcrypto import jwk, jws
from jwcrypto import jwt as jwcrypto_jwt

document = json.load(open(sys.argv[1], encoding="utf-8"))
token = open(sys.argv[2], encoding="ascii").read().strip()
wanted = jwt.get_unverified_header(token)["x5t"]
entry = next(k for k in document["keys"] if k["keyinfo"]["x5t"] == wanted)
certificate = x509.load_der_x509_certificate(base64.b64decode(entry["keyvalue"]["value"]))

claims = jwt.decode(token, certificate.public_key(), algorithms=["RS256"], audience=sys.argv[3],
                    options={"require": ["exp", "nbf", "iss", "aud"]})
assert claims["iss"] == document["issuer"] and isinstance(claims["exp"], str)
print("PyJWT", jwt.__version__, "decode: accepted,", claims["iss"])

key = jwk.JWK.from_pyca(certificate.public_key())
seal = jws.JWS()
seal.deserialize(token)
seal.verify(key)
assert json.loads(seal.payload)["aud"] == sys.argv[3]
print("jwcrypto JWS: verified")
try:
    jwcrypto_jwt.JWT(jwt=token, key=key)
    print("jwcrypto JWT: accepted string times")
except Exception as refusal:  # its own exception classes differ by release
    print("jwcrypto JWT: refuses string times as documented:", type(refusal).__name__)

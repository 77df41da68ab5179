#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""forge.py KEY.pem ISSUER AUDIENCE FORM: a token made by PyJWT with a partner's key; FORM is string, number or mixed times. FORGE_AGE: so
many seconds ago."""
import base64
import hashlib
import os
import sys
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

pem = open(sys.argv[1], "rb").read()
certificate = x509.load_pem_x509_certificate(pem)
x5t = base64.urlsafe_b64encode(hashlib.sha1(certificate.public_bytes(Encoding.DER)).digest()).rstrip(b"=").decode()
now = int(time.time()) - int(os.environ.get("FORGE_AGE", "0"))
form = {"string": (str, str), "number": (int, int), "mixed": (str, int)}[sys.argv[4]]
claims = {"aud": sys.argv[3], "iss": sys.argv[2], "nbf": form[0](now - 60), "exp": form[1](now + 3600), "nameid": sys.argv[2]}
print(jwt.encode(claims, load_pem_private_key(pem, None), algorithm="RS256", headers={"x5t": x5t}))

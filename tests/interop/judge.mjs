// SPDX-License-Identifier: Apache-2.0
// judge.mjs DOCUMENT TOKEN: node's jose verifies our token as a JWS with the certificate from our own document.
import { readFileSync } from 'node:fs'
import { compactVerify, importX509, jwtVerify, decodeProtectedHeader } from 'jose'

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const token = readFileSync(process.argv[3], 'ascii').trim()
const { x5t } = decodeProtectedHeader(token)
const entry = document.keys.find((k) => k.keyinfo.x5t === x5t)
const pem = `-----BEGIN CERTIFICATE-----\n${entry.keyvalue.value.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`
const key = await importX509(pem, 'RS256')
const { payload } = await compactVerify(token, key, { algorithms: ['RS256'] })
const claims = JSON.parse(new TextDecoder().decode(payload))
if (claims.iss !== document.issuer) throw new Error('issuer')
console.log('node jose compactVerify: verified,', claims.iss)
try {
  await jwtVerify(token, key)
  console.log('node jose jwtVerify: accepted string times')
} catch (e) {
  console.log('node jose jwtVerify: refuses string times as documented:', e.code)
}

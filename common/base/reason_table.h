/* SPDX-License-Identifier: Apache-2.0 */
/* The table of reason codes. Append freely; never rename a code, never reuse one. */
#pragma once

/* clang-format off */
#define REASON_TABLE(X) \
/* plumbing */ \
X(OK, "ok", 0, "", "", "Everything is in order", "") \
X(OUT_OF_MEMORY, "out_of_memory", 2000007, "internal_error", "R45", "The daemon is out of memory", "Raise MemoryMax= of the unit or lower the limits in [Limits].") \
X(INTERNAL, "internal_error", 2000007, "internal_error", "", "The daemon could not finish the request", "Look at the journal: journalctl -u s2sd.") \
X(INVALID_REQUEST, "invalid_request", 0, "", "", "The request is not of the documented form", "See s2sd(8) for the calls and their fields.") \
X(TOO_LARGE, "too_large", 2000001, "invalid_token", "R1", "The input is larger than allowed", "Nothing lawful is that large; look at who sent it.") \
X(JSON_SYNTAX, "json_syntax", 2000001, "invalid_token", "R4", "The text is not well-formed JSON", "The sender's JSON writer is broken.") \
X(JSON_DUPLICATE, "json_duplicate", 2000001, "invalid_token", "R4", "A JSON object names a member twice", "Two readers could understand it differently, so it is refused.") \
X(JSON_DEPTH, "json_depth", 2000001, "invalid_token", "R4", "The JSON is nested too deeply or has too many members", "Nothing lawful is that deep.") \
X(JSON_FIELD, "json_field", 2000001, "invalid_token", "R4", "A JSON member is missing, unknown or of the wrong type", "Compare the message with the interface description.") \
/* token: size and shape */ \
X(TOKEN_SHAPE, "token_shape", 2000001, "invalid_token", "R2", "The token is not three parts joined by two dots", "An unsigned outer token ends with a dot; some proxies trim it.") \
X(TOKEN_ENCODING, "token_encoding", 2000001, "invalid_token", "R3", "A part of the token is not canonical base64url", "The sender must write base64url without padding (RFC 7515 section 2).") \
X(TOKEN_HEADER, "token_header", 2000001, "invalid_token", "R6", "The token's header holds a member that is not allowed or not a string", "Only alg, typ, kid, x5t and x5t#S256 are understood.") \
X(TOKEN_TYPE, "token_type", 2000001, "invalid_token", "R7", "The token's typ is not the one of this kind of token", "Server-to-server tokens say typ JWT.") \
X(ALGORITHM, "algorithm_not_allowed", 2000001, "invalid_token", "R8", "The token's algorithm is not allowed", "Server-to-server tokens are signed with RS256.") \
X(UNSIGNED, "unsigned_token", 2000001, "invalid_token", "R20", "An unsigned token carries no actor token", "alg none is lawful only around a signed actor token.") \
X(OUTER_SHAPE, "outer_shape", 2000001, "invalid_token", "R21", "The outer token has a signature or extra header members", "Its header is exactly typ and alg, its signature is empty.") \
X(OUTER_REFUSED, "outer_refused", 2000001, "invalid_token", "R21", "This partner must sign its user tokens", "Set UnsignedOuter=yes for the partner only if it cannot.") \
X(ACTOR_TOKEN, "actor_token", 2000001, "invalid_token", "R22", "The actor token is not a compact token string", "The claim actortoken must hold one signed token.") \
X(NESTED_ACTOR, "nested_actor", 2000001, "invalid_token", "R25", "A signed token carries an actor itself", "Only one level of actor token exists.") \
X(FORBIDDEN_CLAIM, "forbidden_claim", 2000001, "invalid_token", "R26", "The token holds a claim that other systems use to skip checks", "Look at who sent it: this is the shape of known attacks.") \
X(CLAIM, "claim_invalid", 2000001, "invalid_token", "R18", "A claim is missing, too long or of the wrong type", "Compare the token with s2sctl token inspect.") \
X(TOKEN_KIND, "wrong_token_kind", 2000001, "invalid_token", "R19", "The token is of another kind (identity token, assertion, announcement)", "Only server-to-server tokens open this door.") \
/* token: issuer and key */ \
X(UNKNOWN_ISSUER, "unknown_issuer", 2000009, "invalid_issuer", "R15", "The token's issuer is not one of our partners", "Compare ApplicationId= and Realm= of the partner with the token's iss.") \
X(PARTNER_DISABLED, "partner_disabled", 2000009, "invalid_issuer", "R15", "The partner is switched off in the configuration", "Set Enabled=yes and reload.") \
X(PARTNER_STALE, "partner_stale", 2000009, "invalid_issuer", "R37", "The partner's document is older than StaleAfter= allows", "s2sctl partners show tells why it cannot be fetched.") \
X(PARTNER_SUSPENDED, "partner_suspended", 2000009, "invalid_issuer", "R15", "An administrator has suspended the partner", "s2sctl partners show tells who and when; s2sctl partners resume ends it.") \
X(NO_KEY_ID, "no_key_id", 2000000, "invalid_signature", "R13", "The token names no key", "The sender must write x5t or kid into the header.") \
X(UNKNOWN_KEY, "unknown_key", 2000000, "invalid_signature", "R13", "The token names a key that the partner does not publish", "If the partner has rolled its key: s2sctl partners refresh.") \
X(KEY_EXPIRED, "key_expired", 2000000, "invalid_signature", "R12", "The partner's certificate is outside its dates", "The partner must publish a new certificate.") \
X(KEY_DISPUTED, "key_disputed", 2000000, "invalid_signature", "R14", "Another partner, or we, publish the same key", "One of the two copied a certificate; find out which.") \
X(KEY_BARRED, "key_barred", 2000000, "invalid_signature", "R14", "An administrator has barred the key", "s2sctl partners show tells when.") \
X(SIGNATURE, "invalid_signature", 2000000, "invalid_signature", "R9", "The token has an invalid signature", "Forged or damaged: look at who sent it.") \
/* token: times */ \
X(TIME_FORM, "time_malformed", 2000001, "invalid_token", "R17", "A time is missing or not a whole number of seconds", "exp and nbf are required, as 1 to 10 digits.") \
X(EXPIRED, "expired", 2000002, "token_expired", "R17", "The token has expired", "Compare the clocks of both machines; the sender may be reusing an old token.") \
X(NOT_YET_VALID, "not_yet_valid", 2000002, "token_expired", "R17", "The token is not valid yet", "Compare the clocks of both machines.") \
X(LIFETIME, "lifetime_too_long", 2000002, "token_expired", "R17", "The token lives longer than is accepted", "At most 25 hours are accepted.") \
/* token: audience and binding */ \
X(AUDIENCE_FORM, "audience_malformed", 2000003, "invalid_resource", "R16", "The audience is not applicationid/host@realm", "The sender must address the token to our application, host and realm.") \
X(AUDIENCE, "wrong_audience", 2000003, "invalid_resource", "R16", "The token is meant for another application or host", "Add the host to Hosts= if it is ours.") \
X(AUDIENCE_REALM, "wrong_realm", 2000004, "invalid_tenant", "R16", "The token is meant for another realm", "Compare Realm= in [Identity] with what the partner knows of us.") \
X(ACTOR_NAME, "actor_not_of_partner", 2000006, "invalid_client", "R27", "The token names an application that its issuer may not speak for", "A partner speaks for itself; a trust broker for its listed Applications=.") \
X(OUTER_ISSUER, "outer_issuer_mismatch", 2000006, "invalid_client", "R23", "The outer token's issuer is not the actor", "The two tokens do not belong together.") \
X(OUTER_AUDIENCE, "outer_audience_mismatch", 2000003, "invalid_resource", "R23", "Outer and actor token are meant for different audiences", "The two tokens do not belong together.") \
X(NO_DELEGATION, "delegation_not_granted", 2000006, "invalid_client", "R24", "The actor token does not say trustedfordelegation", "The partner did not mean this token to speak for users.") \
X(TRUST_LEVEL, "trust_level", 2000008, "invalid_grant", "R24", "The partner's trust level does not allow this kind of token", "Trust=full accepts both kinds, application only app-only, user neither without a token server.") \
X(USER_FORM, "user_malformed", 2000005, "invalid_user", "R18", "The user is missing or not an address", "A SID or PUID alone needs AcceptSecurityIdentifier=yes.") \
X(USER_AMBIGUOUS, "user_ambiguous", 2000005, "invalid_user", "R18", "The user claims name different users", "nameid and upn must be the same address.") \
X(USER_REFUSED, "user_refused", 2000008, "invalid_grant", "R24", "The partner may not speak for this user", "See PermittedUsers= and RefusedUsers= of the partner.") \
/* minting */ \
X(NOT_PERMITTED, "not_permitted", 0, "", "mint", "No client rule lets this process do that", "See [Client] in s2sd.conf(5).") \
X(NO_SUCH_PARTNER, "no_such_partner", 0, "", "mint", "No partner of that name or address", "s2sctl partners lists them.") \
X(AMBIGUOUS_TARGET, "ambiguous_target", 0, "", "mint", "Several partners answer to that address", "Name the partner, or write applicationid/host@realm.") \
X(HOST_NOT_OF_PARTNER, "host_not_of_partner", 0, "", "mint", "The host is not one of the partner's", "Add it to AudienceHost= of the partner.") \
X(ACT_AS_REFUSED, "act_as_refused", 0, "", "mint", "The client rule does not allow acting for this user", "See ActAs=, RefuseActAs= and Delegation= of the rule.") \
X(LIFETIME_REFUSED, "lifetime_refused", 0, "", "mint", "The wished lifetime is not possible", "Ask for a whole number of seconds within MaxLifetime=.") \
X(RULE_CHANGED, "rule_changed", 0, "", "mint", "The signer knows no such rule (reload under way)", "Try again.") \
X(NO_SIGNING_KEY, "no_signing_key", 0, "", "mint", "There is no usable signing key", "journalctl -u s2sd-signer tells why.") \
X(SIGNER_AWAY, "signer_unavailable", 0, "", "mint", "The signer does not answer", "systemctl status s2sd-signer.") \
X(QUOTA, "over_quota", 0, "", "mint", "Too many requests", "Wait, or raise RateLimit= of the rule.") \
X(PROXIED, "proxied_request", 0, "", "mint", "Token requests must not come through a proxy", "Talk to mint.sock directly.") \
X(AUDIT_FAILED, "audit_failed", 0, "", "mint", "The audit record could not be written", "Audit=required refuses to sign without one; look at the journal service.") \
/* fetching and documents */ \
X(FETCH_NAME, "fetch_name", 0, "", "fetch", "The partner's host name cannot be resolved", "Check DNS: getent hosts NAME.") \
X(FETCH_CONNECT, "fetch_connect", 0, "", "fetch", "The partner's server cannot be reached", "Check network and firewall.") \
X(FETCH_ADDRESS, "fetch_address", 0, "", "fetch", "The partner's address is not allowed", "Link-local, multicast and unspecified addresses never are; see Addresses=.") \
X(FETCH_TIMEOUT, "fetch_timeout", 0, "", "fetch", "The partner's server is too slow", "The whole fetch must end within 10 s.") \
X(FETCH_TLS, "fetch_tls", 0, "", "fetch", "The partner's TLS certificate is not trusted", "See CAFile= of the partner.") \
X(FETCH_HOST_NAME, "fetch_host_name", 0, "", "fetch", "The partner's TLS certificate is for another host", "MetadataURL= must use a name of that certificate.") \
X(FETCH_PIN, "fetch_pin", 0, "", "fetch", "The partner's TLS key is not the pinned one", "Compare PinnedPublicKey= with the server, by another way than the network.") \
X(FETCH_STATUS, "fetch_status", 0, "", "fetch", "The partner's server answered with an error", "The server runs but its metadata site is down.") \
X(FETCH_REDIRECT, "fetch_redirect", 0, "", "fetch", "The partner's server redirects", "Redirects are not followed; put the final address into MetadataURL=.") \
X(FETCH_TOO_LARGE, "fetch_too_large", 0, "", "fetch", "The partner's answer is larger than MaxDocumentSize=", "Nothing lawful is that large.") \
X(FETCH_HEADERS, "fetch_headers", 0, "", "fetch", "The partner's answer is not proper HTTP", "Too many, too large or malformed headers.") \
X(FETCH_ENCODING, "fetch_encoding", 0, "", "fetch", "The partner's answer is compressed though we asked for plain", "Switch compression off for this path.") \
X(FETCH_AWAY, "fetcher_unavailable", 0, "", "fetch", "The fetcher does not answer", "systemctl status s2sd-fetcher.") \
X(FETCH_TRUNCATED, "fetch_truncated", 0, "", "fetch", "The partner's answer ended before it was complete", "The server or something on the way closed the connection; try the URL with curl.") \
X(DOCUMENT_FORM, "document_malformed", 0, "", "R36", "The document is not an authentication metadata document", "Open the URL in a browser: it should be JSON with issuer and keys.") \
X(DOCUMENT_ISSUER, "document_issuer", 0, "", "R36", "The document names another application id, realm or issuer than the partner's", "Compare ApplicationId= and Realm= with the document. Never change them without asking the partner.") \
X(DOCUMENT_KEYS, "document_keys", 0, "", "R37", "The document holds no usable key", "All keys are weak, expired or unreadable; the old ones stay in force.") \
X(DOCUMENT_OURS, "document_ours", 0, "", "R14", "The document is our own", "MetadataURL= points back to this server.") \
X(DOCUMENT_PRIVATE, "document_private_key", 0, "", "R11", "The document publishes a private key", "Tell the partner at once: that key is lost.") \
X(NEVER_FETCHED, "never_fetched", 0, "", "fetch", "The document has not been fetched yet", "s2sctl partners refresh.") \
X(DOCUMENT_REPLAY, "document_replay", 0, "", "R37", "The document holds only keys that were withdrawn or barred before", "An older document came back. When it has stood for a day it is taken by itself; s2sctl partners approve NAME takes it at once.") \
X(DOCUMENT_HELD, "document_held", 0, "", "R37", "The document is held back until an administrator approves it", "Compare the thumbprints with the partner by another way than the network, then: s2sctl partners approve NAME.") \
X(DOCUMENT_PINS, "document_not_pinned", 0, "", "R36", "The document holds none of the keys of PinnedKeys=", "Ask the partner by another way than the network which keys are its own, then change PinnedKeys=.") \
/* keys and certificates */ \
X(KEY_FORM, "key_malformed", 0, "", "R10", "The key or certificate cannot be read", "It must be an X.509 certificate in DER with an RSA key.") \
X(KEY_TYPE, "key_type", 0, "", "R10", "The key is of a type that is not used here", "RSA of 2048 to 8192 bits.") \
X(KEY_SIZE, "key_size", 0, "", "R10", "The RSA key is too small or too large", "RSA of 2048 to 8192 bits, a multiple of 8.") \
X(KEY_WEAK, "key_weak", 0, "", "R10", "The key has a known weakness", "Make a new key.") \
X(KEY_USE, "key_use", 0, "", "R11", "The key is not meant for signatures", "") \
X(KEY_PRIVATE, "key_private", 0, "", "R11", "The key text holds private or symmetric parts", "Whoever published it has lost it.") \
X(KEY_MISMATCH, "key_mismatch", 0, "", "", "Private key and certificate do not belong together", "Put both of the same pair into the file.") \
X(ROLL_REFUSED, "roll_refused", 0, "", "R33", "It would break a partner, or there is nothing to do it with", "The lines beside it say why and what to do; --force does it all the same.") \
X(NO_SUCH_KEY, "no_such_key", 0, "", "", "There is no such key", "s2sctl cert list, s2sctl partners show.") \
X(SIGN_REFUSED, "sign_refused", 0, "", "", "The signer does not sign that", "It reads the configuration itself: Announce=, MetadataURL=, [Metadata] Signed=.") \
X(POOL_DOCUMENT, "pool_document", 0, "", "", "The document does not say which keys are the server's own", "That server has no [Pool] section: members share the same one.") \
X(KEY_ALONE, "certificate_alone", 0, "", "", "The file holds no private key, and no request of ours waits for its certificate", "s2sctl cert request makes the key and the request; or bring key and certificate in one file.") \
X(KEY_PASSWORD, "wrong_password", 0, "", "", "The password does not open the file", "Ask whoever exported it; a file without password opens with an empty one.") \
X(KEY_CIPHER, "key_cipher", 0, "", "", "The file is protected by a method that is not used here", "RC2, RC4 and scrypt are not: export it again with AES-256, or with openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW.") \
X(KEY_ROUNDS, "key_rounds", 0, "", "", "Opening the file would take too many rounds of the password function", "Export it again with 100000 rounds.") \
X(PASSWORD_SHORT, "password_short", 0, "", "", "The password is too short to protect a signing key", "Take 12 characters at least, 1024 at most.")
/* clang-format on */

/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tests/fuzz/make-jose-seeds; the private key is gone. */
#pragma once

/* base64url of the modulus; the exponent is 65537 */
static const char seed_modulus[] =
    "v2lOhXETBG7cRyRgLeI4VLUBcb7vMTcwENgzzVRjyWsX5VRKSq9R8ZtRPROE5Gfb9phQdVr_8qckSmsg"
    "p8G3HbbpsCJQ4bRFCQR7CmVJpjomixwWep7ENfjhhsH9sp1ymasjY198wKsf0n_GV3-onbWx2393Aur2"
    "yQ666H25wDFHfnRKt4CwWJ-pfU9iENwhdaaeOsdcErbJnajCTW3QM7aYgk4pMUOv2DBbGYEl7T0qMAmZ"
    "PObSKqDrfSIuJ_u-mfmZdSepMnf4OAWAdyuXYOZmC1THA63DIFpAdUFUwmY0bgT5u7OzCoBr5VP_nlu_"
    "a0HjjJAENG80033sMNt_cw";

/* The only token that the key has signed; its kid is "seed". */
static const char seed_token[] =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InNlZWQifQ.eyJpc3MiOiJhIiwiYXVkIjoiYiJ9.ksXaE0gHt7DU"
    "0Xp2ED1dJ10wDSo9GvIXhFgJmJK0uKJ16e8JetKRQBiXch_4EDANJ-gcesE3PMzKfPsVFZXjo5fZqddT"
    "LI9g2yRJCW4WLy2fuznKfgwL4m91uf6LIUM97jhD5ElYa9T6fL2xA7FM_M1-ysLgYtp1k3dTSMb1AY9V"
    "xP0i4XJlCGDZ2XoNsEm16_bO6Xz37lNYHX1bSR2hw0DtsAlgpzBW7jBBgKK-cqcn7l-y5MFI2hYCcCih"
    "nzlM2Z2gRGVG1G93CyeMeFF_Om1QA-3ZF3qR6-6Fctekyzq4B8VeISyg9-SlBwMS8MfOU-fygYVqBw8a"
    "6UQPErKtvw";

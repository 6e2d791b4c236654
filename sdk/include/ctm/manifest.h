/* SPDX-License-Identifier: Apache-2.0
 *
 * Update manifest ctm.manifest/1: what a maker signs about one image, and the rules by which a device takes or refuses it.
 * COSE_Sign1 (EdDSA or ES256) over a deterministic CBOR map; the fields follow the information model of RFC 9124. An update package
 * (application/ctm-update) is 4 bytes big-endian manifest length, the manifest, the image.
 */
#ifndef CTM_MANIFEST_H
#define CTM_MANIFEST_H
#include "ctm/crypto.h"
#include "ctm/ids.h"
#include <stdbool.h>

#define CTM_MANIFEST_FORMAT "ctm.manifest/1"
#define CTM_MANIFEST_TYPE "application/ctm-manifest+cbor"

/* Map keys (and what they are in RFC 9124). */
enum ctm_manifest_key {
	CTM_M_FORMAT = 1, CTM_M_VENDOR = 2, CTM_M_CLASS = 3, CTM_M_COMPONENT = 4, CTM_M_VERSION = 5, CTM_M_COUNTER = 6,
	CTM_M_SIZE = 7, CTM_M_DIGEST = 8, CTM_M_MIN_VERSION = 9, CTM_M_SBOM = 10, CTM_M_SUPPORT_END = 11, CTM_M_ADVISORIES = 12, CTM_M_ROLLBACK = 13
};

/* Strings are borrowed from the decoded bytes. Keys 1 to 9 must be there; 10 to 13 may be absent (n == 0, count 0). */
struct ctm_manifest {
	uint8_t vendor[CTM_ID_BYTES], class_id[CTM_ID_BYTES];
	struct ctm_bytes component;            /* "device" */
	struct ctm_bytes version;              /* of the image, ctm_version_ok */
	uint64_t counter;                      /* security counter: never goes down on a device; at most INT64_MAX */
	uint64_t size;                         /* bytes of the image, 1..CTM_IMAGE_MAX */
	uint8_t digest[CTM_HASH_BYTES];        /* SHA-256 of the image */
	struct ctm_bytes min_version;          /* the device must run at least this */
	struct ctm_bytes sbom;                 /* SHA-256 of the SBOM, 32 bytes */
	struct ctm_bytes support_end;          /* YYYY-MM-DD */
	struct ctm_bytes advisory[CTM_ADVISORIES_MAX];
	size_t advisories;                     /* advisories that this release mends */
	struct ctm_bytes rollback[CTM_ROLLBACK_MAX];
	size_t rollbacks;                      /* versions that a device running this release may go back to */
};

int ctm_manifest_encode(const struct ctm_manifest *m, uint8_t *out, size_t cap, size_t *outlen);   /* INPUT, TOOBIG */
/* SYNTAX, TRUNCATED, UNSUPPORTED (another format or unknown key), INPUT (a value). */
int ctm_manifest_decode(const uint8_t *p, size_t n, struct ctm_manifest *out);
/* Verify under the release key (raw: 32 bytes of Ed25519 or 65 of P-256), then decode. VERIFY, UNSUPPORTED (content type, or an
 * algorithm that the back end does not have), decode's errors. */
int ctm_manifest_verify(const struct ctm_crypto *c, const uint8_t *msg, size_t n, const uint8_t *key, size_t keylen,
			struct ctm_manifest *out);
/* Decode without verifying: for showing only. */
int ctm_manifest_peek(const uint8_t *msg, size_t n, struct ctm_manifest *out);

/* What the device is and runs, for ctm_manifest_judge. */
struct ctm_manifest_device {
	uint8_t vendor[CTM_ID_BYTES], class_id[CTM_ID_BYTES];
	const char *component;
	const char *version;                   /* running; "" when nothing runs yet */
	uint64_t counter;                      /* floor kept by the device */
	const struct ctm_manifest *running;    /* manifest of what runs, verified; NULL: there is no going back */
};

/* May this image be installed here? 0, OTHER (vendor, class or component), OLDER (security counter lower than the
 * device's, or a version lower than its own that the running release does not allow), STATE (the device runs less than min_version). *why (may be NULL) gets a static word naming the rule:
 * "vendor", "class", "component", "counter", "version", "min_version". */
int ctm_manifest_judge(const struct ctm_manifest *m, const struct ctm_manifest_device *d, const char **why);

/* The image's size and digest are the manifest's: 0 or VERIFY. */
int ctm_manifest_image(const struct ctm_crypto *c, const struct ctm_manifest *m, const uint8_t *image, size_t n);

/* Split an update package into borrowed parts. TRUNCATED, TOOBIG, SYNTAX (an empty part). */
int ctm_package_split(const uint8_t *p, size_t n, struct ctm_bytes *manifest, struct ctm_bytes *image);

#endif

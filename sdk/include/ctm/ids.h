/* SPDX-License-Identifier: Apache-2.0
 *
 * Names made into fixed ids, and versions put in order.
 *
 * Vendor and class ids follow RFC 9124 (3.3, 3.4): UUID version 5 of the maker's domain name in the DNS name space, and of
 * the product's name in the vendor's id. Versions are 1 to 4 dotted decimal numbers, each at most 9 digits, and optionally
 * "-" and a pre-release of letters, digits and dots: 1.2.0-rc1 comes before 1.2.0; absent numbers count as 0.
 */
#ifndef CTM_IDS_H
#define CTM_IDS_H
#include "ctm/sdk.h"
#include <stdbool.h>

#define CTM_ID_BYTES 16

void ctm_uuid5(const uint8_t space[CTM_ID_BYTES], const void *name, size_t n, uint8_t out[CTM_ID_BYTES]);  /* RFC 9562 5.5 */
void ctm_vendor_id(const char *domain, uint8_t out[CTM_ID_BYTES]);  /* UUID 5 of the domain name in the DNS name space */
void ctm_class_id(const uint8_t vendor[CTM_ID_BYTES], const char *name, uint8_t out[CTM_ID_BYTES]);  /* UUID 5 of the name in the vendor's id */
void ctm_uuid_text(const uint8_t id[CTM_ID_BYTES], char out[37]);  /* lower case, with hyphens and NUL */

bool ctm_version_ok(const char *s, size_t n);  /* the form above, at most CTM_VERSION_MAX bytes */
/* -1, 0 or 1; both must be ctm_version_ok (anything else sorts lowest). */
int ctm_version_order(const char *a, size_t an, const char *b, size_t bn);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The maker's public site: what a researcher or a shopper may read without an account. /.well-known/security.txt (RFC 9116)
 * and /security/policy come from the public documents that the maker keeps with its products, newest first, so that
 * the site and the evaluated documents cannot differ. One installation serves one maker's site: the organisation whose
 * slug is "site_org" in ctm.json, or else the only maker there is.
 */
#ifndef CTM_DESK_SITE_H
#define CTM_DESK_SITE_H
#include "http/app.h"

extern const struct ctm_routes ctm_desk_routes;

#endif

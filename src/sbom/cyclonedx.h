/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader of CycloneDX JSON 1.4, 1.5 and 1.6 bills of materials (ECMA-424 for 1.6). It checks what it uses and what a
 * reader could stumble over: the document's head, components (nested too), hashes, licences, pedigree, services and
 * dependencies, each by a table of members; a member it does not know is named in `warnings`, never silently trusted.
 *
 * It runs in the sandboxed child (app/parse.c); the document is bounded, duplicate keys are refused, errors carry the JSON
 * pointer.
 */
#ifndef CTM_SBOM_CYCLONEDX_H
#define CTM_SBOM_CYCLONEDX_H
#include "base/json.h"

#define CTM_SBOM_MAX (16u << 20)
#define CTM_SBOM_COMPONENTS 20000      /* components listed in a summary */

/* Summary: {format:"CycloneDX", spec_version, serial|null, timestamp|null, subject:{name, version|null, type}|null,
 *  components:[{name, group?, version|null, type, purl|null, cpe|null, hashes:[{alg, content}]}],
 *  counts:{components, with_version, with_identifier, with_supplier, with_hash, services, dependencies},
 *  missing:[text]   (minimum elements of NTIA 2021 that are not given), warnings:[text]}
 * SYNTAX (not JSON), UNSUPPORTED (not CycloneDX of these versions), INPUT (field = pointer), TOOBIG, NOMEM. */
CTM_CHECK int ctm_cyclonedx_read(const char *p, size_t n, const char *name, ctm_json **out, struct ctm_err *err);
#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The maker's part of the public record: what 47 CFR 8.222(b) wants shown and only the maker knows. A complete document or
 * none: {default_password{changeable, instructions}, secure_configuration, updates{automatic, how_to_get?},
 * support{end_date | unsupported_statement}, bom{hbom, sbom}, setup, report_problem}. Status and dates of the authorisation are never the
 * maker's to give and are refused as unknown members.
 */
#ifndef CTM_PRODUCT_REGISTRY_FIELDS_H
#define CTM_PRODUCT_REGISTRY_FIELDS_H
#include "base/json.h"

/* INPUT with the JSON pointer of the first member that is wrong. */
CTM_CHECK int ctm_registry_fields_check(const ctm_json *doc, const char *file, struct ctm_err *err);
/* An authorised product's support may be lengthened, never shortened: INPUT otherwise. Either may lack an end date. */
CTM_CHECK int ctm_registry_fields_support(const ctm_json *before, const ctm_json *after, struct ctm_err *err);
#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the public registry. What the pages get (`out` of each use case; *_ms are milliseconds UTC, dates are
 * YYYY-MM-DD text, absent things are null):
 *
 * "registry/record" (GET /p/{id})   also the JSON of GET /p/{id}.json and GET /api/v1/records/{id}
 *   {id, url, local:bool (the address works on one machine only), status, answer (one sentence for a shopper, in the reader's language),
 *    version, published_ms,
 *    product:{name, maker, model, category, intended_use, gtin, fcc_id, picture|null (address)},
 *    fields:{ the eleven of 47 CFR 8.222(b), in this order:
 *       product_name, manufacturer_name, authorization:{date, status}, cla:{name, contact}, lab:{name},
 *       default_password:{changeable:bool, instructions}, secure_configuration,
 *       updates:{automatic:bool, how_to_get}, support:{end_date|null, unsupported_statement|null},
 *       bom:{hbom:bool, sbom:bool}, additional:{setup, report_problem, ...} },
 *    certificate:{number, valid_from, valid_to, status (in_force, suspended, withdrawn, expired)},
 *    versions:[{component, kind, version}],                       what was evaluated and is covered
 *    outcomes:[{outcome, status}], outcome_counts:{met, not_met, undetermined, not_applicable},
 *    history:[{version, at_ms, kind (grant, suspension, reinstatement, withdrawal), status, what (sentence), reason, log_index|null,
 *              proof|null (address), step}] (newest first),
 *    proof|null (address of the newest), log:{origin, index|null, size|null, checkpoint (address)},
 *    label|null:{svg, png, pdf (addresses), specimen:bool}}       null unless the status is authorised
 *   Unknown but well-formed ids: 404, message "Not authorised: there is no such record."
 *
 * "registry/search" (GET /registry?q=)      also the JSON of GET /api/v1/records?q=
 *   {query|null, count, more:bool, records:[{id, url, product, maker, model, status, answer, published_ms, support_end|null}]}
 *   One answer: the page goes straight there.
 */

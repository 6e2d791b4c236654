/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of cases. What the pages get (`out` of each use case; *_ms are milliseconds UTC, absent things are null):
 *
 * "scheme/cases" (GET /cases)
 *   {inbox:[CASE] (the viewer's organisation has the move; soonest due first), others:[CASE] (newest first, 200),
 *    counts:[{kind, state, title, count}], may_apply:bool}
 *      CASE       {id, number, product_id, product, maker, kind, state, state_title, whose|null (applicant, lab, cla), due_ms|null,
 *                  rule|null, citation|null, overdue:bool, mine:bool, final:bool, opened_ms}
 *
 * "scheme/case" (GET /cases/{id})
 *   {case:CASE + {applicant, cla, lab, lab_org_id|null, pack, pack_version, filed_ms|null, accepted_ms|null, decided_ms|null,
 *          closed_ms|null, prior_case_id|null, certificate_id|null, reason|null, row_version},
 *    may_declare:bool, declarations:{complete:bool, missing:[text], rows:[{id, text, citation, agreed:bool}], support_end|null,
 *          signer:{}, agent:{}, affiliates:[], producers:[], prior_denial:{}}|null  (null where the case is not an application),
 *    screening:{clean:bool, at_ms, lists:[{id, name, edition, digest}], hits:[{subject, party, list, entry, match}]}|null,
 *    report:{job_id, number, bundle_digest, tester, tested_on, signed_by, signed_on}|null,
 *    baseline:[{component, kind, version, image_digest, sbom_digest}],
 *    matrix:MATRIX|null (product/routes.c; of the report's job), gaps:[{outcome, component, status, text}] (what stands in the way of a grant),
 *    verifications:[{n, id, text, citation, ok|null, note}], recommendation|null (grant, denial), recommended_by|null,
 *    events:[{event, kind ("" or the kind to post), title, citation, allowed:bool, why, rule, note:bool (a note must be given),
 *          needs:[member names], verify:bool (six verifications to give), reasons:bool (reasons to give)}]  (rows of the viewer's roles only),
 *    clocks:[{rule, title, citation, consequence, whose, started_ms, due_ms, done_ms|null, fired_ms|null, running:bool, overdue:bool}],
 *    decisions:[{id, kind, at_ms, decided_by, digest, reasons:[{requirement, component, text, finding}], approvals:[{name, part, at_ms}]}],
 *    certificate:{id, number, status, valid_from, valid_to, record_id|null}|null, authorisation:{status, granted_on, issuing_authority}|null,
 *    documents:[DOCUMENT], timeline:[{at_ms, actor, what, ref}], history:[{seq, at_ms, person, event, from_state, to_state, note}],
 *    cases:[CASE] (others about the same certificate or product)}
 *   form: POST /cases/{id}/events/{event} {row_version, note?, kind?, reasons? (lines "REQUIREMENT | component | text"),
 *          recommendation? (grant, denial), check1..check6? ("true" when verified), note1..note6?, reason? (code of a dismissal),
 *          job_id?, signed_by?, signed_on?, lab_org_id?}
 *
 * "scheme/catalogue" (GET /about/catalogue)
 *   {version, title, source, counts:{capabilities, numbered, lettered, items, details}, outcomes:[OUTCOME],
 *    packs:[{id, title, version, effective, source, zone, rules:[{id, title, period, unit, start, whose, consequence, citation}],
 *          groups:[{id, terms:[{id, text, citation}]}], numbers:[{id, value, text, citation}], holidays}],
 *    tables:[{kind, title, version, effective, law, scheme, states:[{id, title, whose, clock, final}],
 *          rows:[{from, event, kind, title, who:[role], guards:[name], effects:[name], starts:[rule], stops:[rule], to, citation}]}],
 *    lists:[{id, name, authority, edition, citation, digest, entries, demonstration}]}
 *      OUTCOME    {id, parent|null, level, capability, name, text, applies:[], judged_on:[], typical:[], crosswalk:{en303645:[], cra:[], psti:[],
 *                  cta2088:[], ir8259:[]}, source}
 */

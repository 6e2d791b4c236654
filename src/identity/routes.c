/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of identity. What the pages get (`out` of each use case; *_ms are milliseconds UTC, absent things are null):
 *
 * "identity/signin" (GET /signin?token=)   {token|null}      a link preview must not burn the token: the page shows one
 *      button which posts it; POST /signin {token} answers with the cookie and goes to "/"
 *
 * "identity/home" (GET /)                  {kind, ...}
 *   kind "public":   {recent:[RECORD], query:null}
 *        RECORD      {id, product, maker, model, status, published_ms, support_end}       link /p/ID
 *   kind "maker":    {may_edit, products:[PRODUCT], waiting:[CASE], devices:{built, enrolled, degraded, suspect}}
 *        PRODUCT     {id, name, model, category, status, support_end|null, version|null, certificate|null, record_id|null,
 *                     missing:[text], ready:bool}           status: draft, applied, or the word of the public record
 *        CASE        {id, number, product_id, product, maker, kind, state, whose|null, due_ms|null, rule|null, opened_ms}
 *   kind "lab":      {jobs:[JOB], may_create, counts:{open, sealed, reported}}       JOB: see lab/desk/routes.c
 *   kind "cla":      {inbox:[CASE] (oldest due first), counts:[{state, count}], oldest_due_ms|null}
 *   kind "operator": {organisations:[ORG], people:[PERSON], counts:{organisations, people, products, devices}}
 *        ORG         {id, kind, name, slug, contact, facts{}}
 *        PERSON      {id, name, email, disabled:bool, memberships:[{org_id, org, role}]}
 */

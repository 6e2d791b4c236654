/* SPDX-License-Identifier: Apache-2.0
 *
 * Where units come from. A factory authority is a certificate of the maker's own, under which its station gives every unit an
 * initial identity (IDevID, IEEE 802.1AR): a unit that shows one may enrol without a code. A batch is a run of serials, allotted
 * once and never again; units are recorded in it with the hash of their code and the key of their IDevID, so that printed serial,
 * remote identity and certificate agree, and built is reconciled against enrolled. Codes and keys never come here.
 */
#ifndef CTM_DEVICE_FACTORY_H
#define CTM_DEVICE_FACTORY_H
#include "http/app.h"

#define CTM_FACTORY_CAS 16          /* active authorities of a maker */
#define CTM_BATCH_UNITS 100000      /* serials of a batch */
#define CTM_BATCH_PART 1000         /* units recorded with one call */

/* The unit a certificate of a factory authority stands for: its serial is the maker's, the chain verifies now, and the key is the one
 * the factory told of, where it told of one. 0 with id (at least 40 bytes); NOTFOUND when it is nobody's. */
CTM_CHECK int ctm_factory_find(struct ctm_db *db, const char *cert_pem, const struct ctm_cert_info *cert, int64_t now_ms, char *id, struct ctm_err *err);

int ctm_uc_factory_ca_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_factory_ca_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_factory_ca_retire(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_batch_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_batch_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_batch_get(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_batch_units(struct ctm_cx *cx, ctm_json *out);
#endif

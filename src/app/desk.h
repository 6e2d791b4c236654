/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm desk factory: the station of a production line. It works in one directory per production run (--run DIR, mode 0700):
 *
 *   run.json          what was allotted: {batch, component, name, prefix, first_number, digits, units, product, model, maker, recorded}
 *   units.json        mode 0600: [{serial, code, password}], one of each unit, made here and nowhere else
 *   units/SERIAL/     mode 0700, what goes into the unit: enrol-code, initial-password, idevid.pem
 *   nameplates.pdf    what is printed on the units
 *
 * An authority directory (--authority DIR, mode 0700) holds factory-ca.key (0600) and factory-ca.pem; it needs no network and may stay on
 * a machine that has none. The platform hears serials, hashes of codes and IDevID certificates; codes, passwords and keys stay here.
 *
 * Every verb may be run again: what is there is kept, what is missing is made, what was recorded is not recorded twice.
 */
#ifndef CTM_APP_DESK_H
#define CTM_APP_DESK_H
#include "base/json.h"
#include "net/client.h"

struct desk {
	const char *url, *token_file, *ca, *run, *authority;     /* options, NULL when not given */
	const char *component, *name, *prefix, *units, *digits, *requests, *paper, *years;
	bool as_json;
};

/* desk_station.c: what every verb stands on. All errors are told in err with what to do. */
CTM_CHECK int desk_needs(const char *value, const char *option, struct ctm_err *err);   /* USAGE */
CTM_CHECK int desk_connect(const struct desk *d, struct ctm_http **out, struct ctm_err *err);
const char *desk_path(char *out, size_t cap, const char *dir, const char *name);        /* "" when it does not fit */
CTM_CHECK int desk_load_run(const struct desk *d, ctm_json **out, struct ctm_err *err); /* NOTFOUND: begin first */
CTM_CHECK int desk_save(const char *path, const ctm_json *v, unsigned mode, struct ctm_err *err);
void desk_serial(char out[80], const ctm_json *run, int64_t i);                         /* of the run's unit number i, from 0 */
void desk_progress(const char *what, int64_t done, int64_t all);                        /* on standard error, a terminal only */

/* desk_factory.c: the verbs. */
int desk_authority(const struct desk *d, struct ctm_err *err);
int desk_trust(const struct desk *d, struct ctm_err *err);
int desk_begin(const struct desk *d, struct ctm_err *err);
int desk_sign(const struct desk *d, struct ctm_err *err);
int desk_record(const struct desk *d, struct ctm_err *err);
int desk_plates(const struct desk *d, struct ctm_err *err);
int desk_reconcile(const struct desk *d, struct ctm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The label: shield area above the QR code of the record's address, the host name in clear below it (47 CFR 8.203: mark and code
 * together, neither alone). The U.S. Cyber Trust Mark belongs to the FCC and is not drawn here: its place is an outline of our own
 * that says so. Artwork that is not bound to a live authorisation is marked SPECIMEN.
 * Parameters come from catalogue/label.json.
 */
#ifndef CTM_REGISTRY_LABEL_H
#define CTM_REGISTRY_LABEL_H
#include "base/buf.h"
#include "base/json.h"
#include <stdbool.h>
#include <stdint.h>

enum ctm_label_format { CTM_LABEL_SVG, CTM_LABEL_PNG, CTM_LABEL_PDF };

struct ctm_label {
	const char *url, *name;           /* name of the product, may be NULL */
	bool specimen, local;             /* local: the address works on one machine or network only; makes it a specimen too */
	int64_t module_um, dpi;           /* 0: the catalogue's value */
	char level;                       /* 'M', 'Q', 0: the catalogue's */
};

struct ctm_label_params { int64_t module_um, module_min, module_max, dpi, dpi_min, dpi_max, quiet, url_max; char level; };
CTM_CHECK int ctm_label_params_load(const char *path, struct ctm_label_params *out, struct ctm_err *err);  /* catalogue/label.json; NOTFOUND, INPUT */
/* INPUT names the parameter that is outside the catalogue's range. Appends the artwork. */
CTM_CHECK int ctm_label_render(const struct ctm_label *l, const struct ctm_label_params *p, enum ctm_label_format f, struct ctm_buf *out, struct ctm_err *err);

#endif

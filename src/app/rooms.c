/* SPDX-License-Identifier: Apache-2.0
 * The list of rooms. One line per room and kind of row; order is the order in the API description. */
#include "app/rooms.h"
#include "desk/site.h"
#include "device/device.h"
#include "document/document.h"
#include "fleet/fleet.h"
#include "http/serve.h"
#include "identity/identity.h"
#include "identity/invitation.h"
#include "inquiry/inquiry.h"
#include "lab/desk/lab_job.h"
#include "product/product.h"
#include "registry/registry.h"
#include "scheme/scheme.h"

const struct ctm_routes *const ctm_room_routes[] = {
	&ctm_http_routes,
	&ctm_identity_routes,
	&ctm_invitation_routes,
	&ctm_product_routes,
	&ctm_document_routes,
	&ctm_device_routes,
	&ctm_fleet_routes,
	&ctm_labdesk_routes,
	&ctm_scheme_routes,
	&ctm_desk_routes,
	&ctm_registry_routes,
	&ctm_inquiry_routes,
};
const size_t ctm_room_route_count = sizeof ctm_room_routes / sizeof *ctm_room_routes;

const struct ctm_jobs *const ctm_room_jobs[] = {
	&ctm_invitation_jobs,
	&ctm_scheme_jobs,
	&ctm_registry_jobs,
	&ctm_fleet_jobs,
	NULL,
};

const struct ctm_listeners *const ctm_room_listeners[] = {
	&ctm_scheme_listeners,
	&ctm_registry_listeners,
	NULL,
};

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a product of the SDK keeps in RAM: one context of each module and the buffers its caller gives. tools/sdk-size prints each
 * and adds them up; the firmware in sdk/ports/cortex-m declares the same.
 */
#include "ctm/config.h"
#include "ctm/cred.h"
#include "ctm/delta.h"
#include "ctm/director.h"
#include "ctm/iface.h"
#include "ctm/link.h"
#include "ctm/log.h"
#include "ctm/remote.h"
#include "ctm/sealed.h"
#include "ctm/state.h"
#include "ctm/timefloor.h"
#include "ctm/update.h"

#define LINK_FRAME 200          /* a frame in and one out, stuffed */
#define MESSAGE (704 + 448)    /* one message in, one out */

struct ctm_port ram_port;
struct ctm_update ram_update;
struct ctm_delta ram_delta;
struct ctm_director ram_director;
struct ctm_timefloor ram_timefloor;
struct ctm_config ram_config;
struct ctm_remote ram_remote;
struct ctm_sealed ram_sealed;
struct ctm_cred ram_cred;
struct ctm_log ram_log;
struct ctm_ifaces ram_ifaces;
struct ctm_link ram_link;
uint8_t ram_link_frames[2 * (LINK_FRAME + 3)];
uint8_t ram_message[MESSAGE];
struct ctm_state ram_state;
struct ctm_queue ram_queue;
struct ctm_kept ram_kept;

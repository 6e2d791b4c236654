/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of devices. What the pages get:
 *
 * "device/list" (GET /devices)             {devices:[DEVICE] (first 200), count, counts:{built, enrolled, degraded, suspect}}
 *      DEVICE  {id, serial, product_id, product, component_id, component, state (built, enrolled, retired), health ("" or likely-normal,
 *               likely-degraded), claimed_version, booted_version, verified_version, versions_agree:bool, suspect (sentence or ""),
 *               last_seen_ms|null, enrolled_ms|null, created_ms}
 * "device/device" (GET /devices/{id})      {device:DEVICE + {cert_sha256, spki_sha256, boot_counter, last_seq, report:{the last state report}},
 *               timeline:[{at_ms, actor, what, ref}], newest_release|null}
 */

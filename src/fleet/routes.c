/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the device port (behind the edge, identity from the client certificate):
 *   POST /d/v1/enrol {serial, code, csr} -> {certificate, ca, device_id}
 *   POST /d/v1/state {seq, version:{claimed, booted, verified}, boot_counter, health, metrics{}} -> {seq, next_s}
 */

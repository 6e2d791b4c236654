/* SPDX-License-Identifier: Apache-2.0
 *
 * What of Mbed TLS 2.28 the SDK's back end needs, and nothing more: P-256, ECDSA (deterministic), SHA-256, AES-256-GCM,
 * HMAC-DRBG, PBKDF2. The same header builds it for a microcontroller and for the host, where its vectors are run.
 */
#ifndef CTM_MBEDTLS_CONFIG_H
#define CTM_MBEDTLS_CONFIG_H

/* Arithmetic: small tables before speed; a device signs a few times an hour. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 64
#define MBEDTLS_MPI_WINDOW_SIZE 2
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE 3
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_NO_INTERNAL_RNG

/* Signatures whose secret number comes from key and message, so that bad random numbers cannot give the key away. */
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER

/* Sealing. */
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_GCM_C
#define MBEDTLS_CIPHER_C

/* A board without a heap: numbers live in a buffer the product gives (mbedtls_memory_buffer_alloc_init). */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#if defined(__arm__) && !defined(__linux__)
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#endif

#include "mbedtls/check_config.h"
#endif

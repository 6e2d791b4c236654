-- SPDX-License-Identifier: Apache-2.0
-- name: metrics.database_bytes
SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size
-- name: metrics.database_bytes engine: postgresql
SELECT pg_database_size(current_database()) AS bytes

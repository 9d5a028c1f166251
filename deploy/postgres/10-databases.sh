#!/bin/sh
# Runs once, when the server's data are made: a role and databases for each of the two tenants.
# Neither role is a superuser, so that row-level security binds Tandem's.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
	--set tandem="$POSTGRES_TANDEM_PASSWORD" --set temporal="$POSTGRES_TEMPORAL_PASSWORD" <<'SQL'
CREATE ROLE tandem LOGIN PASSWORD :'tandem';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE tandem OWNER tandem;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT, TEMPORARY ON DATABASE tandem, temporal, temporal_visibility FROM PUBLIC;
SQL

#!/bin/sh
# Brings Temporal's two databases to the schema of this release; a second run changes nothing.
# The password comes as SQL_PASSWORD; the databases were made with the server's data.
set -eu

schema=/etc/temporal/schema/postgresql/v12

bring_up_to_date() {
	database=$1
	versions=$2
	set -- temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db "$database"
	# Only an empty database has no version to start from.
	"$@" update-schema -d "$versions" || {
		"$@" setup-schema -v 0.0
		"$@" update-schema -d "$versions"
	}
}

bring_up_to_date temporal "$schema/temporal/versioned"
bring_up_to_date temporal_visibility "$schema/visibility/versioned"

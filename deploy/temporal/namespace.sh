#!/bin/sh
# Makes the namespace TEMPORAL_NAMESPACE at TEMPORAL_ADDRESS, unless it is there.
# Closed deals stay readable in Temporal for the retention; Tandem's own records stay for ever.
set -eu

attempt=0
until temporal operator cluster health; do
	attempt=$((attempt + 1))
	if [ "$attempt" -ge 30 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS does not become healthy; see its log." >&2
		exit 1
	fi
	sleep 2
done

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" ||
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d

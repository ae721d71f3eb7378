#!/bin/sh
# Creates the namespace and the search attributes of a loan. Safe to run at every start.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE come from the environment. RETENTION is how long closed loans stay visible
# in the Web UI; the ledger keeps them longer.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "the Temporal server at $TEMPORAL_ADDRESS is not healthy after 60 tries" >&2
    exit 1
  fi
  sleep 1
done

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "${RETENTION:-30d}"
fi

# A new namespace is known to all parts of the server within some seconds: until then this call is refused.
tries=0
until known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>/dev/null); do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "the namespace $TEMPORAL_NAMESPACE did not appear" >&2; exit 1; }
  sleep 1
done

# The same as in duecourse/engine/search_attributes.py: a test compares them.
for declaration in \
  LoanStage=Keyword \
  OldestDueDate=Datetime \
  RiskTier=Keyword \
  BorrowerId=KeywordList \
  Jurisdiction=Keyword \
  NextActionAt=Datetime \
  Holds=KeywordList; do
  name=${declaration%%=*}
  if ! printf '%s\n' "$known" | grep -qw "$name"; then
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "${declaration##*=}"
  fi
done
echo "namespace $TEMPORAL_NAMESPACE is ready"

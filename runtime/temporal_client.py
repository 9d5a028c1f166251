"""The one way to Temporal: every client, worker and tool connects here."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client, TLSConfig
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from domain.errors import Unavailable
from runtime.ask_again import AskAgain
from runtime.errors import CannotStart
from runtime.payloads import DATA_CONVERTER
from runtime.search_attributes import SEARCH_ATTRIBUTES
from runtime.settings import Settings

_PATIENCE = timedelta(seconds=10)


async def connect(settings: Settings) -> Client:
    """Connect to the server of the settings.

    Raises:
        CannotStart: no server is set, or a certificate cannot be read.
        Unavailable: the server does not answer.
    """
    if settings.temporal_address is None:
        raise CannotStart(
            "No Temporal server is known: start one with `tandem up`, or set TANDEM_TEMPORAL_ADDRESS."
        )
    key = settings.temporal_api_key
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            data_converter=DATA_CONVERTER,
            interceptors=[AskAgain()],
            tls=_tls(settings),
            api_key=key.get_secret_value() if key else None,
            grpc_compression=compression_to(settings.temporal_address),
        )
    except RuntimeError as away:  # how the SDK says that nobody answers
        raise Unavailable(
            f"Temporal does not answer at {settings.temporal_address}: see that it runs, then try again."
        ) from away


async def ensure_search_attributes(client: Client) -> list[str]:
    """Register those of our search attributes that the namespace lacks; answer their names.

    Raises:
        CannotStart: the server does not let us; the sentence lists what to add by hand.
    """
    operator = client.operator_service
    try:
        known = await operator.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=_PATIENCE
        )
        missing = {key.name: key for key in SEARCH_ATTRIBUTES if key.name not in known.custom_attributes}
        if missing:
            types = {
                name: IndexedValueType.ValueType(int(key.indexed_value_type)) for name, key in missing.items()
            }
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=types)
            await operator.add_search_attributes(request, timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return []  # another process was quicker
        names = ", ".join(f"{key.name} ({key.indexed_value_type.name.lower()})" for key in SEARCH_ATTRIBUTES)
        raise CannotStart(
            f"Temporal did not let us add search attributes ({error.message}): "
            f"add them to the namespace {client.namespace} yourself: {names}."
        ) from error
    return sorted(missing)


def compression_to(address: str) -> GrpcCompression:
    """How requests to `host:port` are packed: with gzip, as the SDK does by itself.

    Not to this very machine, where it only costs time, at both ends.
    """
    host = address.rpartition(":")[0].strip("[]")
    try:
        here = ip_address(host).is_loopback
    except ValueError:  # a name
        here = host == "localhost"
    return GrpcCompression.NONE if here else GrpcCompression.GZIP


def _tls(settings: Settings) -> TLSConfig | bool:
    files = (settings.temporal_tls_ca, settings.temporal_tls_cert, settings.temporal_tls_key)
    if not any(files):
        return settings.temporal_tls or settings.temporal_api_key is not None
    ca, certificate, key = (_pem(file) for file in files)
    return TLSConfig(server_root_ca_cert=ca, client_cert=certificate, client_private_key=key)


def _pem(file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError as error:
        raise CannotStart(f"The file {file} for Temporal's TLS cannot be read ({error.strerror}).") from error

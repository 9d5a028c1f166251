"""For those who operate Tandem: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.services import ServicesDep

router = APIRouter(include_in_schema=False)


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """This process runs. Restart it when this does not answer."""
    return Health()


@router.get("/readyz")
async def readyz(services: ServicesDep) -> Health:
    """The database and the workflow engine answer. Send no requests here while this is a 503."""
    await services.database.ping()
    await services.temporal.ping()
    return Health()


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of this process. Keep it from strangers at the proxy."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

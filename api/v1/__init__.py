"""The JSON API, version 1. Each module is a capability with its router; this package puts them together."""

from fastapi import APIRouter

from api.v1 import me

router = APIRouter(prefix="/api/v1")
router.include_router(me.router)

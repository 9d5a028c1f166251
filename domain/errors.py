"""One tree of errors, raised by rules and rendered once at the edge.

Every class is declared with a stable, machine-readable `code`, the HTTP `status` it
answers with and a short `title`; what it leaves out is its parent's. The message
(`detail`) is a sentence that a user can act on. `extra` holds further members of the
problem document (RFC 9457, 3.2).
"""

from __future__ import annotations

from typing import Any, ClassVar


class TandemError(Exception):
    """Anything that Tandem refuses, with a sentence that says why."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init_subclass__(
        cls, *, code: str | None = None, status: int | None = None, title: str | None = None
    ) -> None:
        super().__init_subclass__()
        cls.code = code or cls.code
        cls.status = status or cls.status
        cls.title = title or cls.title

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidInput(TandemError, code="invalid_input", status=422, title="The input is not valid"):
    """The request does not say something that makes sense; `errors` points to where."""

    def __init__(self, detail: str, *, pointer: str | None = None, **extra: Any) -> None:
        if pointer is not None:
            extra.setdefault("errors", [{"pointer": pointer, "detail": detail}])
        super().__init__(detail, **extra)


class IdempotencyKeyReused(InvalidInput, code="idempotency_key_reused", title="Idempotency key already used"):
    """The same Idempotency-Key came with another request."""


class InvalidCursor(InvalidInput, code="invalid_cursor", title="The cursor is not valid"):
    """A page cursor that this server did not hand out, or that was edited."""


class Unauthenticated(TandemError, code="unauthenticated", status=401, title="Sign in first"):
    """Nobody is signed in, or the key is unknown, expired or revoked."""


class Forbidden(TandemError, code="forbidden", status=403, title="Not allowed"):
    """You may see it, but not do this."""


class NotAnApprover(Forbidden, code="not_an_approver", title="Somebody else decides here"):
    """Somebody else is asked to decide here."""


class OwnRequest(Forbidden, code="own_request", title="Your own request"):
    """Nobody decides on what was asked by them or in their name (four eyes)."""


class NotTheRequester(Forbidden, code="not_the_requester", title="Not your request"):
    """Only whoever asked may take it back, amend it or take what is offered."""


class NotFound(TandemError, code="not_found", status=404, title="Not found"):
    """It does not exist, or belongs to somebody else."""


class Conflict(TandemError, code="conflict", status=409, title="Not possible right now"):
    """A rule refuses the change as things stand."""


class AlreadyExists(Conflict, code="already_exists", title="It exists already"):
    """Something with this name, address or key is there already."""


class DealClosed(Conflict, code="deal_closed", title="This deal is closed"):
    """The opportunity is won, lost or handed off, and no longer takes this change."""


class DealOnHold(Conflict, code="deal_on_hold", title="This deal is on hold"):
    """The opportunity is on hold; resume it first."""


class DealNotOnHold(Conflict, code="deal_not_on_hold", title="This deal is not on hold"):
    """Only an opportunity on hold can be resumed."""


class DealNotLost(Conflict, code="deal_not_lost", title="This deal is not lost"):
    """Only a lost opportunity can be reopened."""


class StageGateClosed(Conflict, code="stage_gate_closed", title="The stage is not finished"):
    """The stage's exit rule is not met; `blockers` says what is missing and whose turn it is."""


class NoSuchStage(Conflict, code="no_such_stage", title="There is no such stage to go to"):
    """The playbook has no such stage, or the deal is there already."""


class AlreadySignedOff(Conflict, code="already_signed_off", title="Your side has agreed already"):
    """This side has agreed already; the other side's agreement is awaited."""


class TaskClosed(Conflict, code="task_closed", title="This task is closed"):
    """The task is done or waived already, or its stage has been left."""


class TaskOpen(Conflict, code="task_open", title="This task is open"):
    """Only a closed task can be reopened."""


class AlreadyOnDeal(Conflict, code="partner_already_on_deal", title="This partner is on the deal already"):
    """The partner takes part in the opportunity already."""


class HandOffNotReady(Conflict, code="handoff_not_ready", title="The hand-off is not complete"):
    """The hand-off cannot be accepted before its required tasks are done."""


class HandOffNotAccepted(Conflict, code="handoff_not_accepted", title="The hand-off is not accepted yet"):
    """Customer success has not accepted the hand-off yet."""


class HandOffEnded(Conflict, code="handoff_ended", title="This hand-off has ended"):
    """The hand-off's process has ended; `reason` says why."""


class FollowUpDone(Conflict, code="follow_up_done", title="This follow-up is done"):
    """The follow-up was logged already; nobody logs it twice."""


class RenewalOpen(Conflict, code="renewal_open", title="The renewal is open"):
    """The renewal is open already: what is agreed about the contract belongs there."""


class NoHandOff(Conflict, code="no_handoff", title="There is nothing to hand off yet"):
    """There is a hand-off only once the opportunity is won."""


class AmountFromLines(Conflict, code="amount_from_lines", title="The amount is the sum of the lines"):
    """The amount of a deal with lines is their sum: it changes with them, and not by hand."""


class DiscountNotGranted(Conflict, code="discount_not_granted", title="This discount has to be asked for"):
    """More is given off than may be without asking; `standard_percent` says how much that is."""


class NoExchangeRate(Conflict, code="no_exchange_rate", title="There is no exchange rate"):
    """An amount has to be told in another currency, and nobody has set a rate; `pair` says which."""


class ApprovalClosed(Conflict, code="approval_closed", title="This request is closed"):
    """The request is approved, rejected, recalled or expired; `state` and `ended` say how and by whom."""


class ApprovalNotPending(Conflict, code="approval_not_pending", title="The requester is awaited"):
    """The request is back with the requester, who has not sent it again."""


class ApprovalNotReturned(Conflict, code="approval_not_returned", title="There is nothing to amend"):
    """Only what was returned or countered can be submitted again."""


class NoCounterOffer(Conflict, code="no_counter_offer", title="There is no counter-offer"):
    """Only a counter-offer can be accepted."""


class AlreadyDecided(Conflict, code="already_decided", title="You have decided already"):
    """This person has decided already; nobody decides twice."""


class DiscountPending(Conflict, code="discount_pending", title="A discount waits for approval"):
    """A discount waits for approval; until that is decided no other is asked for, and the deal stays."""


class DiscountOutsideGrant(
    Conflict, code="discount_outside_grant", title="The discount is outside of what was granted"
):
    """What is given is not covered by what was granted; `blockers` says why."""


class NoDiscountPolicy(Conflict, code="no_discount_policy", title="There is no discount policy"):
    """Nobody has published a discount policy, so nobody can be asked."""


class StaleVersion(TandemError, code="stale_version", status=412, title="It has changed since you read it"):
    """Somebody changed it since you read it; `version` says which is current."""


class TooLarge(TandemError, code="too_large", status=413, title="The request is too large"):
    """The request is larger than the server takes."""


class TooManyRequests(TandemError, code="too_many_requests", status=429, title="Too many requests"):
    """The caller goes faster than allowed; try again after `retry_after` seconds."""


class Unavailable(TandemError, code="unavailable", status=503, title="Try again in a moment"):
    """The database or the workflow engine is away; nothing was half done."""


def _tree(root: type[TandemError]) -> dict[str, type[TandemError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


BY_CODE: dict[str, type[TandemError]] = _tree(TandemError)
"""Every error by its code: what crosses a process as a code comes back as its class."""


def from_code(code: str, detail: str, extra: dict[str, Any] | None = None) -> TandemError:
    """Build again the error that another process raised; an unknown code is a plain `TandemError`."""
    kind = BY_CODE.get(code, TandemError)
    error = kind.__new__(kind)
    TandemError.__init__(error, detail, **(extra or {}))
    return error

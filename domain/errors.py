"""One tree of errors, raised by rules and rendered once at the edge.

Every class has a stable, machine-readable `code`, the HTTP `status` it answers
with and a short `title`. The message (`detail`) is a sentence that a user can
act on. `extra` holds further members of the problem document (RFC 9457, 3.2).
"""

from __future__ import annotations

from typing import Any, ClassVar


class TandemError(Exception):
    """Anything that Tandem refuses, with a sentence that says why."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidInput(TandemError):
    """The request does not say something that makes sense; `errors` points to where."""

    code = "invalid_input"
    status = 422
    title = "The input is not valid"

    def __init__(self, detail: str, *, pointer: str | None = None, **extra: Any) -> None:
        if pointer is not None:
            extra.setdefault("errors", [{"pointer": pointer, "detail": detail}])
        super().__init__(detail, **extra)


class IdempotencyKeyReused(InvalidInput):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"
    title = "Idempotency key already used"


class InvalidCursor(InvalidInput):
    """A page cursor that this server did not hand out, or that was edited."""

    code = "invalid_cursor"
    title = "The cursor is not valid"


class Unauthenticated(TandemError):
    """Nobody is signed in, or the key is unknown, expired or revoked."""

    code = "unauthenticated"
    status = 401
    title = "Sign in first"


class Forbidden(TandemError):
    """You may see it, but not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class NotAnApprover(Forbidden):
    """Somebody else is asked to decide here."""

    code = "not_an_approver"
    title = "Somebody else decides here"


class OwnRequest(Forbidden):
    """Nobody decides on what was asked by them or in their name (four eyes)."""

    code = "own_request"
    title = "Your own request"


class NotTheRequester(Forbidden):
    """Only whoever asked may take it back, amend it or take what is offered."""

    code = "not_the_requester"
    title = "Not your request"


class NotFound(TandemError):
    """It does not exist, or belongs to somebody else."""

    code = "not_found"
    status = 404
    title = "Not found"


class Conflict(TandemError):
    """A rule refuses the change as things stand."""

    code = "conflict"
    status = 409
    title = "Not possible right now"


class AlreadyExists(Conflict):
    """Something with this name, address or key is there already."""

    code = "already_exists"
    title = "It exists already"


class DealClosed(Conflict):
    """The opportunity is won, lost or handed off, and no longer takes this change."""

    code = "deal_closed"
    title = "This deal is closed"


class DealOnHold(Conflict):
    """The opportunity is on hold; resume it first."""

    code = "deal_on_hold"
    title = "This deal is on hold"


class DealNotOnHold(Conflict):
    """Only an opportunity on hold can be resumed."""

    code = "deal_not_on_hold"
    title = "This deal is not on hold"


class DealNotLost(Conflict):
    """Only a lost opportunity can be reopened."""

    code = "deal_not_lost"
    title = "This deal is not lost"


class StageGateClosed(Conflict):
    """The stage's exit rule is not met; `blockers` says what is missing and whose turn it is."""

    code = "stage_gate_closed"
    title = "The stage is not finished"


class NoSuchStage(Conflict):
    """The playbook has no such stage, or the deal is there already."""

    code = "no_such_stage"
    title = "There is no such stage to go to"


class AlreadySignedOff(Conflict):
    """This side has agreed already; the other side's agreement is awaited."""

    code = "already_signed_off"
    title = "Your side has agreed already"


class TaskClosed(Conflict):
    """The task is done or waived already, or its stage has been left."""

    code = "task_closed"
    title = "This task is closed"


class TaskOpen(Conflict):
    """Only a closed task can be reopened."""

    code = "task_open"
    title = "This task is open"


class AlreadyOnDeal(Conflict):
    """The partner takes part in the opportunity already."""

    code = "partner_already_on_deal"
    title = "This partner is on the deal already"


class HandOffNotReady(Conflict):
    """The hand-off cannot be accepted before its required tasks are done."""

    code = "handoff_not_ready"
    title = "The hand-off is not complete"


class HandOffNotAccepted(Conflict):
    """Customer success has not accepted the hand-off yet."""

    code = "handoff_not_accepted"
    title = "The hand-off is not accepted yet"


class HandOffEnded(Conflict):
    """The hand-off's process has ended; `reason` says why."""

    code = "handoff_ended"
    title = "This hand-off has ended"


class FollowUpDone(Conflict):
    """The follow-up was logged already; nobody logs it twice."""

    code = "follow_up_done"
    title = "This follow-up is done"


class RenewalOpen(Conflict):
    """The renewal is open already: what is agreed about the contract belongs there."""

    code = "renewal_open"
    title = "The renewal is open"


class NoHandOff(Conflict):
    """There is a hand-off only once the opportunity is won."""

    code = "no_handoff"
    title = "There is nothing to hand off yet"


class AmountFromLines(Conflict):
    """The amount of a deal with lines is their sum: it changes with them, and not by hand."""

    code = "amount_from_lines"
    title = "The amount is the sum of the lines"


class DiscountNotGranted(Conflict):
    """More is given off than may be without asking; `standard_percent` says how much that is."""

    code = "discount_not_granted"
    title = "This discount has to be asked for"


class NoExchangeRate(Conflict):
    """An amount has to be told in another currency, and nobody has set a rate; `pair` says which."""

    code = "no_exchange_rate"
    title = "There is no exchange rate"


class ApprovalClosed(Conflict):
    """The request is approved, rejected, recalled or expired; `state` and `ended` say how and by whom."""

    code = "approval_closed"
    title = "This request is closed"


class ApprovalNotPending(Conflict):
    """The request is back with the requester, who has not sent it again."""

    code = "approval_not_pending"
    title = "The requester is awaited"


class ApprovalNotReturned(Conflict):
    """Only what was returned or countered can be submitted again."""

    code = "approval_not_returned"
    title = "There is nothing to amend"


class NoCounterOffer(Conflict):
    """Only a counter-offer can be accepted."""

    code = "no_counter_offer"
    title = "There is no counter-offer"


class AlreadyDecided(Conflict):
    """This person has decided already; nobody decides twice."""

    code = "already_decided"
    title = "You have decided already"


class DiscountPending(Conflict):
    """A discount waits for approval; until that is decided no other is asked for, and the deal stays."""

    code = "discount_pending"
    title = "A discount waits for approval"


class DiscountOutsideGrant(Conflict):
    """What is given is not covered by what was granted; `blockers` says why."""

    code = "discount_outside_grant"
    title = "The discount is outside of what was granted"


class NoDiscountPolicy(Conflict):
    """Nobody has published a discount policy, so nobody can be asked."""

    code = "no_discount_policy"
    title = "There is no discount policy"


class StaleVersion(TandemError):
    """Somebody changed it since you read it; `version` says which is current."""

    code = "stale_version"
    status = 412
    title = "It has changed since you read it"


class TooLarge(TandemError):
    """The request is larger than the server takes."""

    code = "too_large"
    status = 413
    title = "The request is too large"


class TooManyRequests(TandemError):
    """The caller goes faster than allowed; try again after `retry_after` seconds."""

    code = "too_many_requests"
    status = 429
    title = "Too many requests"


class Unavailable(TandemError):
    """The database or the workflow engine is away; nothing was half done."""

    code = "unavailable"
    status = 503
    title = "Try again in a moment"


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

"""Sends events with the public CloudEvents SDK, in every form it has, to the daemon whose URL is the argument.

The ledger behind it has the app "shop". Run by scripts/check-clients.
"""

import json
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

url = sys.argv[1] + "/v1/events"


def event(kind: str, identity: str, data: dict, **attributes) -> CloudEvent:
    moment = datetime.now(timezone(timedelta(hours=8))) - timedelta(minutes=1)
    return CloudEvent(
        {
            "specversion": "1.0",
            "type": f"meterd.{kind}",
            "source": "/sdk/python ü%20",
            "id": identity,
            "time": attributes.pop("time", moment),
            "subject": "shop",
            "datacontenttype": "application/json",
            **attributes,
        },
        data,
    )


def post(headers: dict, body: bytes) -> dict:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200, answer.status
        return json.load(answer)


def expect(answer: dict, **counts: int) -> None:
    got = {name: answer[name] for name in ("accepted", "duplicates", "corrections", "refused")}
    wanted = {name: counts.get(name, 0) for name in got}
    assert got == wanted, f"expected {wanted}, got {answer}"


def structured(given: CloudEvent) -> tuple[dict, bytes]:
    message = to_structured_event(given)
    return dict(message.headers), bytes(message.body)


def binary(given: CloudEvent) -> tuple[dict, bytes]:
    message = to_binary_event(given)
    return dict(message.headers), bytes(message.body)


calls = event("gateway_call", "1", {"calls": 1200, "api": "com.acme.pay"}, traceparent="00-ab-cd-01")
device = event("device_activity", "2", {"features": ["basic_analysis", "message_push"], "device": "phone-1"})
usage = event("gateway_call", "3 ü", {"calls": 5})
refused = event("gateway_call", "4", {"calls": 0})

# One form after the other: the same event is the same event in each.
expect(post(*structured(calls)), accepted=1)
expect(post(*binary(calls)), duplicates=1)
expect(post(*binary(device)), accepted=1)
expect(post(*structured(device)), accepted=1)
expect(post(*binary(usage)), accepted=1)
expect(post(*structured(usage)), duplicates=1)

# Refused alike.
for form in (structured, binary):
    answer = post(*form(refused))
    expect(answer, refused=1)
    assert answer["results"][0]["code"] == "bad_quantity", answer
    assert answer["results"][0]["source"] == "/sdk/python ü%20", answer

# The SDK makes no batches itself: an array of what it makes.
more = [event("gateway_call", f"batch-{number}", {"calls": 1}) for number in range(100)]
bodies = [structured(given)[1] for given in [*more, calls, refused]]
batch = {"Content-Type": "application/cloudevents-batch+json"}
expect(post(batch, b"[" + b",".join(bodies) + b"]"), accepted=100, duplicates=1, refused=1)

# A body that is no event's form.
try:
    post({"Content-Type": "text/plain"}, b"hello")
    raise AssertionError("a text was taken")
except urllib.error.HTTPError as error:
    assert error.code == 415, error.code
    assert error.headers["Content-Type"] == "application/problem+json"

print("the CloudEvents SDK: structured, binary and batched events are understood")

"""A Saleor that answers what a test tells it to, over HTTP."""

import json

import httpx

from saleor_kustom.outbound import Outbound


class Answering:
    """Answers every request with the same thing, and keeps the requests."""

    def __init__(self, answer=None):
        self.answer = answer
        self.requests = []

    async def __call__(self, request):
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    def outbound(self):
        return Outbound(transport=httpx.MockTransport(self))

    @property
    def variables(self):
        return json.loads(self.requests[-1].content)["variables"]


def denied(*path):
    message = "To access this path, you need one of the following permissions: HANDLE_PAYMENTS"
    extensions = {"exception": {"code": "PermissionDenied"}}
    return {"message": message, "path": list(path), "extensions": extensions}

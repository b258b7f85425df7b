"""The lookup that a product page makes: no key, and an answer for what is there.

Source: product-lookup.txt, which does not say what is answered for an unknown product, a missing
parameter or a key: here 404, and 400 for the other two.
"""

from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from reconciler.sandbox.store import SandboxStore

LOOKUP_PATH = "/api/v1/widget/product/details/"


def lookup(stores: Collection[SandboxStore]) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The endpoint over the products of all stores; any business is answered."""

    async def answer(http: HttpRequest) -> Response:
        query = http.query_params
        wanted = query.get("product", "")
        # A page is public, so a key that is sent from one is lost.
        if "api_key" in query:
            return _problem(400, "This endpoint takes no key.")
        if not wanted or not query.get("business"):
            return _problem(400, "business and product are required.")
        row = next((row for store in stores if (row := store.row(wanted))), None)
        if row is None or row.id is None:
            return _problem(404, "Not found.")
        product = {"id": str(row.id), "store_id": wanted}
        return JSONResponse({"status": 200, "data": {"version": 1, "product": product}})

    return answer


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "detail": message}, status_code=status)
